/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes user tasks and never gives them back: only the kernel's watchdog can help, exit kind 1026.
 * Kernel threads are served, so that a test sees this stall and not one of the machine behind it.
 */
#include "bpf/scx.bpf.h"

char _license[] SEC("license") = "GPL";

constexpr u64 ABYSS_DSQ = 0;

SEC("struct_ops/stalls_enqueue")
void BPF_PROG(stalls_enqueue, struct task_struct* p, u64 enq_flags)
{
	dsq_insert(p, p->flags & PF_KTHREAD ? DSQ_LOCAL : ABYSS_DSQ, SCX_SLICE_DFL, enq_flags);
}

/* Without it the kernel would put wakeups on idle CPUs by itself. */
SEC("struct_ops/stalls_select_cpu")
s32 BPF_PROG(stalls_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC("struct_ops.s/stalls_init")
s32 BPF_PROG(stalls_init)
{
	return scx_bpf_create_dsq(ABYSS_DSQ, -1);
}

SEC("struct_ops/stalls_exit")
void BPF_PROG(stalls_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops stalls_ops = {
    .select_cpu = (void*)stalls_select_cpu,
    .enqueue = (void*)stalls_enqueue,
    .init = (void*)stalls_init,
    .exit = (void*)stalls_exit,
    .name = "stalls",
};
