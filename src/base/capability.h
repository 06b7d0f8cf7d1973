// SPDX-License-Identifier: GPL-2.0-only
// What the kernel lets this process do, root or not: services run as other users with a few capabilities.
#pragma once

namespace punctual {

// Load BPF programs for tracing, and read what they count: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN.
bool may_trace_by_bpf();

// Open BPF programs and maps of other processes by their numbers: CAP_SYS_ADMIN.
bool may_open_bpf_of_others();

}  // namespace punctual
