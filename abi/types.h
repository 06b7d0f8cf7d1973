/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Integer types as the kernel spells them, for C23 (BPF) and C++23 alike. u64 is
 * `unsigned long long`, not std::uint64_t: only then does u64 * convert to __u64 *.
 */
#pragma once

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;
