/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scheduler as somebody else writes it, in the style of the kernel's scx headers, and nothing of
 * ours but the kernel types: constants in variables that the loader fills, an exit record and a
 * dump under names of its own, a type flavour of sched_ext_ops with members that no kernel has.
 */
#include "bpf/kern.bpf.h"

char _license[] SEC("license") = "GPL";

/* Left at 0 these would name ordinary queues, which do not exist: ejected at once. */
const volatile u64 __SCX_DSQ_LOCAL __weak;
const volatile u64 __SCX_DSQ_GLOBAL __weak;
const volatile u64 __SCX_SLICE_DFL __weak;
const volatile u64 __SCX_NO_SUCH_CONSTANT __weak;

const volatile bool global_only;

struct user_exit_info {
	int kind;
	s64 exit_code;
	char reason[128];
	char msg[1024];
};

struct user_exit_info uei SEC(".data");
const volatile u32 uei_dump_len;
char uei_dump[1] SEC(".data.uei_dump");

extern s32 scx_bpf_select_cpu_dfl(struct task_struct* p, s32 prev_cpu, u64 wake_flags, bool* is_idle) __ksym;
extern void scx_bpf_dsq_insert___compat(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_insert___v2___compat(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;

static inline void insert(struct task_struct* p, u64 dsq_id, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___compat))
		scx_bpf_dsq_insert___v2___compat(p, dsq_id, __SCX_SLICE_DFL, enq_flags);
	else
		scx_bpf_dsq_insert___compat(p, dsq_id, __SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops/fifo_select_cpu")
s32 BPF_PROG(fifo_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle && !global_only)
		insert(p, __SCX_DSQ_LOCAL, 0);
	return cpu;
}

SEC("struct_ops/fifo_enqueue")
void BPF_PROG(fifo_enqueue, struct task_struct* p, u64 enq_flags)
{
	insert(p, __SCX_DSQ_GLOBAL, enq_flags);
}

SEC("struct_ops/fifo_no_such_callback")
void BPF_PROG(fifo_no_such_callback, struct task_struct* p) {}

SEC("struct_ops/fifo_exit")
void BPF_PROG(fifo_exit, struct scx_exit_info* info)
{
	bpf_probe_read_kernel_str(uei.reason, sizeof(uei.reason), info->reason);
	bpf_probe_read_kernel_str(uei.msg, sizeof(uei.msg), info->msg);
	bpf_probe_read_kernel_str(uei_dump, uei_dump_len, info->dump);
	uei.exit_code = info->exit_code;
	__sync_val_compare_and_swap(&uei.kind, 0, (s32)info->kind);
}

struct sched_ext_ops___foreign {
	char name[128];
	u32 exit_dump_len;
	u32 timeout_ms;
	u64 flags;
	u64 hotplug_seq;
	u64 no_such_number;
	void (*no_such_callback)(struct task_struct* p);
	s32 (*select_cpu)(struct task_struct* p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct* p, u64 enq_flags);
	void (*exit)(struct scx_exit_info* info);
};

SEC(".struct_ops.link")
struct sched_ext_ops___foreign fifo_ops = {
    .select_cpu = (void*)fifo_select_cpu,
    .enqueue = (void*)fifo_enqueue,
    .no_such_callback = (void*)fifo_no_such_callback,
    .exit = (void*)fifo_exit,
    .no_such_number = 42,
    .exit_dump_len = 65536,
    .name = "foreign_fifo",
};
