/* SPDX-License-Identifier: GPL-2.0-only */
/* A BPF object like any other, with nothing of sched_ext in it. */
#include "bpf/kern.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("syscall")
int does_nothing(void* context)
{
	return 0;
}
