/* SPDX-License-Identifier: GPL-2.0-only */
/* From a kernel of the future: a flag that this one does not know. */
#include "bpf/scx.bpf.h"

char _license[] SEC("license") = "GPL";

SEC(".struct_ops.link")
struct sched_ext_ops future_ops = {
    .flags = 1ULL << 40,
    .name = "unknown_flags",
};
