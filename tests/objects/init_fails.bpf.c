/* SPDX-License-Identifier: GPL-2.0-only */
/* The attach call returns success all the same: only the exit record tells. */
#include "bpf/scx.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops.s/failing_init")
s32 BPF_PROG(failing_init)
{
	return -ENOMEM;
}

SEC("struct_ops/failing_exit")
void BPF_PROG(failing_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops failing_ops = {
    .init = (void*)failing_init,
    .exit = (void*)failing_exit,
    .name = "init_fails",
};
