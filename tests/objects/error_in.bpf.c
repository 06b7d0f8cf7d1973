/* SPDX-License-Identifier: GPL-2.0-only */
/* Works for a second, then finds a fault in itself in the callback that `--set callback=N` names. */
#include "bpf/scx.bpf.h"

char _license[] SEC("license") = "GPL";

enum callback {
	SELECT_CPU = 1,
	ENQUEUE,
	DISPATCH,
	RUNNING,
	STOPPING,
	TICK,
	UPDATE_IDLE,
	ENABLE,
	INIT_TASK,
	CGROUP_INIT,
	CGROUP_EXIT,
	CGROUP_SET_WEIGHT,
};

#define WORKS_NS (1000 * 1000 * 1000ULL)

constexpr u64 SHARED_DSQ = 0; /* for the kernel's own it would not ask ops.dispatch */

const volatile u64 callback = ENQUEUE;

static u64 loaded_ns;

static void called(enum callback which)
{
	if (which == callback && bpf_ktime_get_ns() - loaded_ns > WORKS_NS)
		scx_error("fault in callback %d", which);
}

SEC("struct_ops/error_select_cpu")
s32 BPF_PROG(error_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags)
{
	called(SELECT_CPU);
	return prev_cpu;
}

SEC("struct_ops/error_enqueue")
void BPF_PROG(error_enqueue, struct task_struct* p, u64 enq_flags)
{
	called(ENQUEUE);
	dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops/error_dispatch")
void BPF_PROG(error_dispatch, s32 cpu, struct task_struct* prev)
{
	called(DISPATCH);
	dsq_move_to_local(SHARED_DSQ);
}

SEC("struct_ops/error_running")
void BPF_PROG(error_running, struct task_struct* p)
{
	called(RUNNING);
}

SEC("struct_ops/error_stopping")
void BPF_PROG(error_stopping, struct task_struct* p, bool runnable)
{
	called(STOPPING);
}

SEC("struct_ops/error_tick")
void BPF_PROG(error_tick, struct task_struct* p)
{
	called(TICK);
}

SEC("struct_ops/error_update_idle")
void BPF_PROG(error_update_idle, s32 cpu, bool idle)
{
	called(UPDATE_IDLE);
}

SEC("struct_ops/error_enable")
void BPF_PROG(error_enable, struct task_struct* p)
{
	called(ENABLE);
}

SEC("struct_ops.s/error_init_task")
s32 BPF_PROG(error_init_task, struct task_struct* p, struct scx_init_task_args* args)
{
	called(INIT_TASK);
	return 0;
}

SEC("struct_ops.s/error_cgroup_init")
s32 BPF_PROG(error_cgroup_init, struct cgroup* cgrp, struct scx_cgroup_init_args* args)
{
	called(CGROUP_INIT);
	return 0;
}

SEC("struct_ops/error_cgroup_exit")
void BPF_PROG(error_cgroup_exit, struct cgroup* cgrp)
{
	called(CGROUP_EXIT);
}

SEC("struct_ops/error_cgroup_set_weight")
void BPF_PROG(error_cgroup_set_weight, struct cgroup* cgrp, u32 weight)
{
	called(CGROUP_SET_WEIGHT);
}

SEC("struct_ops.s/error_init")
s32 BPF_PROG(error_init)
{
	loaded_ns = bpf_ktime_get_ns();
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC("struct_ops/error_exit")
void BPF_PROG(error_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops error_ops = {
    .select_cpu = (void*)error_select_cpu,
    .enqueue = (void*)error_enqueue,
    .dispatch = (void*)error_dispatch,
    .running = (void*)error_running,
    .stopping = (void*)error_stopping,
    .tick = (void*)error_tick,
    .update_idle = (void*)error_update_idle,
    .enable = (void*)error_enable,
    .init_task = (void*)error_init_task,
    .cgroup_init = (void*)error_cgroup_init,
    .cgroup_exit = (void*)error_cgroup_exit,
    .cgroup_set_weight = (void*)error_cgroup_set_weight,
    .init = (void*)error_init,
    .exit = (void*)error_exit,
    .flags = SCX_OPS_KEEP_BUILTIN_IDLE,
    .name = "error_in",
};
