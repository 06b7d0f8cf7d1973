/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run-queue waits, counted where they end: by CPU and kind, by cgroup and by task.
 *
 * Three tracepoints are enough. policy/wait.h says what begins and ends a wait; the stamp lies in the task itself
 * (task storage), so there is no table that could be full, and no pid that could be mistaken for another. What is
 * counted lies in arrays that only their CPU writes. Nothing that counts is ever cleared: user space subtracts.
 *
 * For each pair of wakeup and switch that is two looks into task storage, two into per-CPU arrays, and two at the
 * clock. A task that blocks needs none, for it had its stamp cleared when it was switched in - if we saw that. The
 * kernel does not always tell (some tasks of some machines switch away unseen), so each CPU remembers whom it switched
 * to.
 *
 * Filters ask the task that waits, never the one that happens to run: a task is woken by others.
 */
#include "bpf/runq_state.bpf.h"
#include "bpf/runq_blame.bpf.h"

char _license[] SEC("license") = "GPL";

static inline bool is_wanted(const struct task_struct* p)
{
	return p->pid != 0 && (wanted_tgid == 0 || (u32)p->tgid == wanted_tgid);
}

static inline bool cpu_is_wanted(void)
{
	u32 cpu;

	if (!filter_cpus)
		return true;
	cpu = bpf_get_smp_processor_id();
	return cpu < CPUS_MAX && (wanted_cpus[cpu / 64] >> (cpu % 64) & 1);
}

static inline void count(struct runq_histogram* histogram, u32 bucket, u64 wait_ns)
{
	if (bucket >= LOGLIN_RUNQ_BUCKETS)
		return;
	histogram->buckets[bucket]++;
	histogram->sum_ns += wait_ns;
	if (wait_ns > histogram->max_ns)
		histogram->max_ns = wait_ns;
}

static inline u32 bucket_of(u64 wait_ns)
{
	return loglin_index_capped(wait_ns, LOGLIN_RUNQ_BITS, LOGLIN_RUNQ_VALUE_BITS);
}

/* ---- a wait begins ---- */

static inline void count_waking(struct runq_task* task, u64 now_ns)
{
	struct runq_cpu* cpu = this_cpu();

	if (cpu && task->waking_ns != 0 && now_ns >= task->waking_ns && task->in_scope && cpu_is_wanted())
		count(&cpu->histograms[RUNQ_WAKING], bucket_of(now_ns - task->waking_ns), now_ns - task->waking_ns);
	task->waking_ns = 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(runq_wakeup, struct task_struct* p)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct runq_task* task;

	if (!is_wanted(p))
		return 0;
	task = task_of(p);
	if (!task) {
		RUNQ_COUNT(nr_lost);
		return 0;
	}
	if (with_waking) {
		refresh_cgroup(p, task);
		count_waking(task, now_ns);
	}
	switch (wait_at_wakeup(&task->wait, p->on_cpu, now_ns, nr_switches_of(p))) {
	case WAIT_WHILE_RUNNING:
		RUNQ_COUNT(nr_while_running);
		break;
	case WAIT_WHILE_QUEUED:
		RUNQ_COUNT(nr_while_queued);
		break;
	case WAIT_STALE:
		RUNQ_COUNT(nr_lost);
		break;
	default:
		break;
	}
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(runq_wakeup_new, struct task_struct* p)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct runq_task* task;

	if (!is_wanted(p))
		return 0;
	task = task_of(p);
	if (task)
		wait_at_creation(&task->wait, now_ns, nr_switches_of(p));
	else
		RUNQ_COUNT(nr_lost);
	return 0;
}

/* On the CPU of the waker, before there is a CPU for the task. */
SEC("?tp_btf/sched_waking")
int BPF_PROG(runq_waking, struct task_struct* p)
{
	struct runq_task* task;

	if (!is_wanted(p))
		return 0;
	task = task_of(p);
	if (task)
		task->waking_ns = bpf_ktime_get_ns();
	return 0;
}

/* ---- a wait ends ---- */

static inline void record(struct runq_cpu* cpu, struct task_struct* p, struct runq_task* task, u64 since_ns, u64 now_ns)
{
	u64 wait_ns = now_ns - since_ns;
	u32 bucket = bucket_of(wait_ns);
	struct runq_histogram* row = bpf_map_lookup_elem(&runq_rows, &task->row);

	count(&cpu->histograms[task->wait.kind % RUNQ_HISTOGRAMS], bucket, wait_ns);
	if (row)
		count(row, bucket, wait_ns);
	task->nr++;
	task->sum_ns += wait_ns;
	if (wait_ns > task->max_ns)
		task->max_ns = wait_ns;
	if (wait_ns >= blame_ns_min) {
		struct runq_control* shared = control();

		blame_runners(cpu, task->row, since_ns, now_ns);
		if (shared && wait_ns >= shared->outlier_ns)
			tell_outlier(cpu, p, task, now_ns, since_ns);
	}
}

/* p gets the CPU. */
static inline void enter(struct runq_cpu* cpu, struct task_struct* p, u64 now_ns)
{
	struct runq_task* task = task_of(p);
	u64 since_ns;

	cpu->run_row = 0;
	if (!task) {
		cpu->losses.nr_lost++;
		return;
	}
	refresh_cgroup(p, task);
	cpu->run_row = task->row;
	since_ns = task->wait.since_ns;
	if (!is_wanted(p))
		return;
	switch (wait_at_switch_in(&task->wait, now_ns, nr_switches_of(p))) {
	case WAIT_ENDED:
		if (task->in_scope && cpu_is_wanted())
			record(cpu, p, task, since_ns, now_ns);
		break;
	case WAIT_UNKNOWN_START:
		cpu->losses.nr_unknown_start++;
		break;
	case WAIT_ENDS_TOO_EARLY:
		cpu->losses.nr_discarded++;
		break;
	case WAIT_STALE:
		cpu->losses.nr_lost++;
		break;
	default:
		break;
	}
}

/* p leaves the CPU, and stays runnable or not. `seen`: we were told when it got it. */
static inline void leave(struct runq_cpu* cpu, struct task_struct* p, bool runnable, bool seen, u64 now_ns)
{
	struct runq_task* task;

	if (seen) {
		note_runner(cpu, p, now_ns);
		note_span(cpu, now_ns);
	}
	if ((seen && !runnable) || !is_wanted(p))
		return;
	task = task_of(p);
	if (task)
		wait_at_switch_out(&task->wait, runnable, now_ns, nr_switches_of(p));
	else
		cpu->losses.nr_lost++;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(runq_switch, bool preempt, struct task_struct* prev, struct task_struct* next, unsigned int prev_state)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct runq_cpu* cpu = this_cpu();
	bool seen;

	if (!cpu)
		return 0;
	seen = cpu->run_pid_next == (u32)prev->pid + 1;
	if (!seen && cpu->run_pid_next != 0)
		cpu->losses.nr_unseen++;
	if (prev->pid != 0)
		leave(cpu, prev, preempt || prev_state == 0, seen, now_ns);
	if (next->pid != 0)
		enter(cpu, next, now_ns);
	cpu->run_from_ns = now_ns;
	cpu->run_pid_next = (u32)next->pid + 1;
	return 0;
}

/* ---- names, and who waits now ---- */

SEC("?tp_btf/cgroup_mkdir")
int BPF_PROG(runq_mkdir, struct cgroup* cgrp, const char* path)
{
	struct runq_path name = {};
	u64 id = cgrp->kn->id;

	if (cgrp->root->hierarchy_id != 0)
		return 0;
	bpf_probe_read_kernel_str(name.text, sizeof(name.text), path);
	bpf_map_update_elem(&runq_paths, &id, &name, BPF_ANY);
	return 0;
}

SEC("iter/task")
int runq_tasks(struct bpf_iter__task* context)
{
	struct seq_file* seq = context->meta->seq;
	struct task_struct* p = context->task;
	struct runq_task_record record = {};
	struct runq_task* task;

	if (!p)
		return 0;
	task = bpf_task_storage_get(&runq_waits, p, NULL, 0);
	if (!task || !is_wanted(p))
		return 0;
	refresh_cgroup(p, task); /* else one that never ran since would belong nowhere */
	/* A stamp that it left behind by running is none. */
	if (!p->on_cpu && !task->wait.is_leaving && task->wait.nr_switches == nr_switches_of(p))
		record.open_since_ns = task->wait.since_ns;
	if (record.open_since_ns == 0 && !(tell_all_tasks && task->nr > 0))
		return 0;
	record.start_ns = p->start_time;
	record.nr = task->nr;
	record.sum_ns = task->sum_ns;
	record.max_ns = task->max_ns;
	record.pid = p->pid;
	record.tgid = p->tgid;
	record.row = task->row;
	record.in_scope = task->in_scope;
	__builtin_memcpy(record.comm, p->comm, sizeof(record.comm));
	bpf_seq_write(seq, &record, sizeof(record));
	return 0;
}
