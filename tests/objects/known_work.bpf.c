/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scheduler whose callbacks take as long as it is told: each counts down from a number, three instructions a step.
 * Where an instruction is a nanosecond, what they cost is known before it is measured. First in, first out.
 */
#include "bpf/kern.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile u64 __SCX_DSQ_GLOBAL __weak;
const volatile u64 __SCX_SLICE_DFL __weak;

const volatile u64 enqueue_steps = 1;
const volatile u64 running_steps = 1;
const volatile u64 stopping_steps = 1;
const volatile u64 init_task_steps = 1; /* at each fork, with interrupts on: the only one that a timer can sample */

extern void scx_bpf_dsq_insert___compat(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_insert___v2___compat(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;

/* In x86: add, test, jne. */
static __always_inline void count_down(u64 steps)
{
	asm volatile(
	    "1: %[steps] += -1;"
	    "if %[steps] != 0 goto 1b;"
	    : [steps] "+r"(steps));
}

SEC("struct_ops/known_enqueue")
void BPF_PROG(known_enqueue, struct task_struct* p, u64 enq_flags)
{
	count_down(enqueue_steps);
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___compat))
		scx_bpf_dsq_insert___v2___compat(p, __SCX_DSQ_GLOBAL, __SCX_SLICE_DFL, enq_flags);
	else
		scx_bpf_dsq_insert___compat(p, __SCX_DSQ_GLOBAL, __SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops/known_running")
void BPF_PROG(known_running, struct task_struct* p)
{
	count_down(running_steps);
}

SEC("struct_ops/known_stopping")
void BPF_PROG(known_stopping, struct task_struct* p, bool runnable)
{
	count_down(stopping_steps);
}

SEC("struct_ops/known_init_task")
s32 BPF_PROG(known_init_task, struct task_struct* p, struct scx_init_task_args* args)
{
	count_down(init_task_steps);
	return 0;
}

struct sched_ext_ops {
	void (*enqueue)(struct task_struct* p, u64 enq_flags);
	void (*running)(struct task_struct* p);
	void (*stopping)(struct task_struct* p, bool runnable);
	s32 (*init_task)(struct task_struct* p, struct scx_init_task_args* args);
	char name[128];
};

SEC(".struct_ops.link")
struct sched_ext_ops known_ops = {
    .enqueue = (void*)known_enqueue,
    .running = (void*)known_running,
    .stopping = (void*)known_stopping,
    .init_task = (void*)known_init_task,
    .name = "known_work",
};
