// SPDX-License-Identifier: GPL-2.0-only
// A look at every task. Part of runq/, shown to no other folder.
#pragma once

#include <vector>

#include "abi/runq.h"
#include "base/result.h"

struct bpf_link;

namespace punctual {

// What the iterator says now.
Result<std::vector<runq_task_record>> read_task_records(const bpf_link* iterator);

}  // namespace punctual
