/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The exit record: why a scheduler ended. A variable of this type in .data, of any name, is how
 * sched_ext objects have told their loaders since 6.12; ours do the same, so that one reader
 * serves ours and foreign ones. Beside a variable NAME stand NAME_dump_len in .rodata, set by the
 * loader, and the array NAME_dump in the map .data.NAME_dump, sized by the loader.
 */
#pragma once

#include "abi/types.h"

struct user_exit_info {
	s32 kind;     /* enum scx_exit_kind; 0 while the scheduler runs */
	s32 exit_cpu; /* padding in old objects */
	s64 exit_code;
	char reason[128];
	char msg[1024];
};
static_assert(sizeof(struct user_exit_info) == 1168, "the record's layout is shared with foreign objects");
