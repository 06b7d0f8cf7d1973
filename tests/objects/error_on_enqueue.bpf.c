/* SPDX-License-Identifier: GPL-2.0-only */
/* Works for a while, then finds a fault in itself: scx_bpf_error, exit kind 1025. */
#include "bpf/scx.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile u64 enqueues_max = 1000;

static u64 nr_enqueued;

/* Without it the kernel would put wakeups on idle CPUs by itself. */
SEC("struct_ops/faulty_select_cpu")
s32 BPF_PROG(faulty_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC("struct_ops/faulty_enqueue")
void BPF_PROG(faulty_enqueue, struct task_struct* p, u64 enq_flags)
{
	u64 nr = __sync_fetch_and_add(&nr_enqueued, 1);

	if (nr >= enqueues_max)
		scx_error("fault after %llu enqueues", nr);
	dsq_insert(p, bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_GLOBAL), SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops/faulty_exit")
void BPF_PROG(faulty_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops faulty_ops = {
    .select_cpu = (void*)faulty_select_cpu,
    .enqueue = (void*)faulty_enqueue,
    .exit = (void*)faulty_exit,
    .name = "error_on_enqueue",
};
