/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scx_simple: the reference. One queue for the whole machine, ordered by weighted virtual time;
 * a wakeup takes an idle CPU first. It shows what the plainest fair scheduler does to a packet
 * function, and it is the shortest complete sched_ext scheduler here: read it first.
 *
 * When it is a good choice: one last-level cache, work that does not care about latency.
 * When it is not: anything with a deadline (no preemption at all: a wakeup waits until the running
 * task's slice ends at a tick), many caches (one lock, no locality), cgroups (weights are per task).
 *
 * Life of a task: select_cpu finds an idle CPU, or enqueue puts it into the queue; dispatch moves
 * the earliest one to a CPU that asks; running notes the time; stopping charges for it.
 */
#include "bpf/scx.bpf.h"
#include "abi/sched.h"
#include "policy/vtime.h"

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 4 * 1000 * 1000;

constexpr u64 SHARED_DSQ = 0;

static u64 vtime_clock;          /* vtime of the task that started last; a race loses one step, no more */
static u64 started_ns[CPUS_MAX]; /* when the task on this CPU started */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sched_stats);
} stats SEC(".maps");

static inline struct sched_stats* this_cpu_stats(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&stats, &zero);
}

SEC("struct_ops/simple_select_cpu")
s32 BPF_PROG(simple_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags)
{
	struct sched_stats* count = this_cpu_stats();
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		dsq_insert(p, DSQ_LOCAL, slice_ns, 0); /* enqueue is skipped */
		if (count) {
			count->nr_enqueued++;
			count->nr_idle_cpu++;
		}
	}
	return cpu;
}

SEC("struct_ops/simple_enqueue")
void BPF_PROG(simple_enqueue, struct task_struct* p, u64 enq_flags)
{
	struct vtime_limits limits = {slice_ns, 100 * slice_ns};
	struct sched_stats* count = this_cpu_stats();

	if (count)
		count->nr_enqueued++;
	dsq_insert_vtime(p, SHARED_DSQ, slice_ns, vtime_on_join(p->scx.dsq_vtime, vtime_clock, &limits), enq_flags);
}

SEC("struct_ops/simple_dispatch")
void BPF_PROG(simple_dispatch, s32 cpu, struct task_struct* prev)
{
	struct sched_stats* count = this_cpu_stats();

	if (dsq_move_to_local(SHARED_DSQ) && count)
		count->nr_dispatched++;
}

SEC("struct_ops/simple_running")
void BPF_PROG(simple_running, struct task_struct* p)
{
	u32 cpu = scx_bpf_task_cpu(p);

	if (vtime_before(vtime_clock, p->scx.dsq_vtime))
		vtime_clock = p->scx.dsq_vtime;
	if (cpu < CPUS_MAX)
		started_ns[cpu] = scx_bpf_now();
}

/* Charged by the clock, not by what is left of the slice: that is wrong once anybody changes a slice. */
SEC("struct_ops/simple_stopping")
void BPF_PROG(simple_stopping, struct task_struct* p, bool runnable)
{
	u32 cpu = scx_bpf_task_cpu(p);

	if (cpu < CPUS_MAX)
		task_set_vtime(p, p->scx.dsq_vtime + vtime_charge(scx_bpf_now() - started_ns[cpu], p->scx.weight));
}

/* Entering the class: no credit from before. */
SEC("struct_ops/simple_enable")
void BPF_PROG(simple_enable, struct task_struct* p)
{
	task_set_vtime(p, vtime_clock);
}

SEC("struct_ops.s/simple_init")
s32 BPF_PROG(simple_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC("struct_ops/simple_exit")
void BPF_PROG(simple_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops simple_ops = {
    .select_cpu = (void*)simple_select_cpu,
    .enqueue = (void*)simple_enqueue,
    .dispatch = (void*)simple_dispatch,
    .running = (void*)simple_running,
    .stopping = (void*)simple_stopping,
    .enable = (void*)simple_enable,
    .init = (void*)simple_init,
    .exit = (void*)simple_exit,
    .name = "scx_simple",
};
