/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched_ext for our schedulers: the ops table, constants, kfuncs, and one function for each
 * thing that differs between kernels (6.16 to 7.3). Nothing here decides anything.
 */
#pragma once

#include "abi/exit.h"
#include "bpf/kern.bpf.h"

/* ---- constants: values come from the kernel's BTF when the object is loaded ---- */

enum scx_public_consts { SCX_OPS_NAME_LEN = 128, SCX_SLICE_DFL = 20 * 1000 * 1000 };
enum scx_dsq_id_flags : u64 { SCX_DSQ_LOCAL = 1, SCX_DSQ_LOCAL_ON = 2, SCX_DSQ_GLOBAL = 3 };
enum scx_enq_flags : u64 { SCX_ENQ_WAKEUP = 1, SCX_ENQ_HEAD = 2, SCX_ENQ_PREEMPT = 3, SCX_ENQ_CPU_SELECTED = 4 };
enum scx_kick_flags : u64 { SCX_KICK_IDLE = 1, SCX_KICK_PREEMPT = 2 };
enum scx_wake_flags : u64 { SCX_WAKE_SYNC = 1 };
enum scx_ent_flags : u64 { SCX_TASK_QUEUED = 1 };
enum scx_dsq_iter_flags : u64 { SCX_DSQ_ITER_REV = 1 };
/* Written into the ops table as they stand here: the same in every kernel. */
enum scx_ops_flags : u64 {
	SCX_OPS_KEEP_BUILTIN_IDLE = 1,
	SCX_OPS_ENQ_EXITING = 4,
	SCX_OPS_ENQ_MIGRATION_DISABLED = 16,
};

/*
 * A function of numbers alone that returns one. It is not static, so the verifier looks at it once for each program and
 * not at every call: that was a quarter of the time that loading took.
 */
#define VERIFIED_ONCE __noinline

#define DSQ_LOCAL bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL)
#define DSQ_LOCAL_ON bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL_ON)
#define DSQ_ITER_REV bpf_core_enum_value(enum scx_dsq_iter_flags, SCX_DSQ_ITER_REV)
#define ENQ_WAKEUP bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_WAKEUP)
#define ENQ_HEAD bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_HEAD)
#define ENQ_PREEMPT bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_PREEMPT)
#define KICK_IDLE bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_IDLE)
#define TASK_QUEUED bpf_core_enum_value(enum scx_ent_flags, SCX_TASK_QUEUED)
#define WAKE_SYNC bpf_core_enum_value(enum scx_wake_flags, SCX_WAKE_SYNC)
#define KICK_PREEMPT bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_PREEMPT)

/* ---- the ops table: a subset; libbpf finds each member in the kernel by name ---- */

struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct* p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct* p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct* prev);
	void (*running)(struct task_struct* p);
	void (*stopping)(struct task_struct* p, bool runnable);
	void (*tick)(struct task_struct* p);
	void (*update_idle)(s32 cpu, bool idle);
	void (*enable)(struct task_struct* p);
	s32 (*init_task)(struct task_struct* p, struct scx_init_task_args* args);
	s32 (*cgroup_init)(struct cgroup* cgrp, struct scx_cgroup_init_args* args);
	void (*cgroup_exit)(struct cgroup* cgrp);
	void (*cgroup_set_weight)(struct cgroup* cgrp, u32 weight);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info* info);
	u64 flags;
	u32 timeout_ms;
	u64 hotplug_seq;
	char name[SCX_OPS_NAME_LEN];
};

/* ---- kfuncs that every supported kernel has ---- */

extern s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
extern s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
extern s32 scx_bpf_select_cpu_dfl(struct task_struct* p, s32 prev_cpu, u64 wake_flags, bool* is_idle) __ksym;
extern bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) __ksym;
extern void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym;
extern s32 scx_bpf_pick_idle_cpu(const struct cpumask* cpus_allowed, u64 flags) __ksym;
extern u64 scx_bpf_now(void) __ksym;
extern u32 scx_bpf_nr_cpu_ids(void) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct* p) __ksym;
extern void scx_bpf_error_bstr(char* fmt, unsigned long long* data, u32 data__sz) __ksym;
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq* it, u64 dsq_id, u64 flags) __ksym;
extern struct task_struct* bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq* it) __ksym;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq* it) __ksym;
extern bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq* it__iter, struct task_struct* p, u64 dsq_id,
			     u64 enq_flags) __ksym;
extern bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask* cpumask) __ksym;

/* ---- kfuncs that came, changed or will go; libbpf cuts the last ___suffix off the name ---- */

extern struct cgroup* scx_bpf_task_cgroup(struct task_struct* p) __ksym __weak; /* CONFIG_EXT_GROUP_SCHED */

extern void scx_bpf_dsq_insert___void(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_insert___v2___ours(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
extern void scx_bpf_dsq_insert_vtime___void(struct task_struct* p, u64 dsq_id, u64 slice, u64 vtime,
					    u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_move_to_local___one(u64 dsq_id) __ksym __weak;
extern bool scx_bpf_dsq_move_to_local___v2___ours(u64 dsq_id, u64 enq_flags) __ksym __weak;
extern bool scx_bpf_task_set_slice___ours(struct task_struct* p, u64 slice) __ksym __weak;
extern bool scx_bpf_task_set_dsq_vtime___ours(struct task_struct* p, u64 vtime) __ksym __weak;

extern s32 scx_bpf_select_cpu_and___five(struct task_struct* p, s32 prev_cpu, u64 wake_flags,
					 const struct cpumask* allowed, u64 flags) __ksym __weak;

struct scx_bpf_select_cpu_and_args {
	s32 prev_cpu;
	u64 wake_flags;
	u64 flags;
} __attribute__((preserve_access_index));

extern s32 __scx_bpf_select_cpu_and___ours(struct task_struct* p, const struct cpumask* allowed,
					   struct scx_bpf_select_cpu_and_args* args) __ksym __weak;

struct scx_bpf_dsq_insert_vtime_args {
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
} __attribute__((preserve_access_index));

extern bool __scx_bpf_dsq_insert_vtime___ours(struct task_struct* p,
					      struct scx_bpf_dsq_insert_vtime_args* args) __ksym __weak;

/* Before 6.19 the insert returned nothing; from then on the old name is kept only for a while. */
static inline void dsq_insert(struct task_struct* p, u64 dsq_id, u64 slice_ns, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___ours))
		scx_bpf_dsq_insert___v2___ours(p, dsq_id, slice_ns, enq_flags);
	else
		scx_bpf_dsq_insert___void(p, dsq_id, slice_ns, enq_flags);
}

/* From 6.19 on the arguments are passed in a struct (five registers were not enough). */
static inline void dsq_insert_vtime(struct task_struct* p, u64 dsq_id, u64 slice_ns, u64 vtime, u64 enq_flags)
{
	if (bpf_core_type_exists(struct scx_bpf_dsq_insert_vtime_args)) {
		struct scx_bpf_dsq_insert_vtime_args args = {
		    .dsq_id = dsq_id,
		    .slice = slice_ns,
		    .vtime = vtime,
		    .enq_flags = enq_flags,
		};
		__scx_bpf_dsq_insert_vtime___ours(p, &args);
	} else {
		scx_bpf_dsq_insert_vtime___void(p, dsq_id, slice_ns, vtime, enq_flags);
	}
}

/*
 * Claims an idle CPU for p, near ones first; negative: there is none. In ops.enqueue and ops.select_cpu only. From 6.19
 * on the arguments are passed in a struct, as above.
 */
static inline s32 claim_idle_cpu_near(struct task_struct* p, s32 cpu)
{
	if (bpf_core_type_exists(struct scx_bpf_select_cpu_and_args)) {
		struct scx_bpf_select_cpu_and_args args = {.prev_cpu = cpu};

		return __scx_bpf_select_cpu_and___ours(p, p->cpus_ptr, &args);
	}
	return scx_bpf_select_cpu_and___five(p, cpu, 0, p->cpus_ptr, 0);
}

/* The form with flags came in 7.1. */
static inline bool dsq_move_to_local(u64 dsq_id)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___v2___ours))
		return scx_bpf_dsq_move_to_local___v2___ours(dsq_id, 0);
	return scx_bpf_dsq_move_to_local___one(dsq_id);
}

/* From 6.19 on a function; writing the field is deprecated there. */
static inline void task_set_slice(struct task_struct* p, u64 slice_ns)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice___ours))
		scx_bpf_task_set_slice___ours(p, slice_ns);
	else
		p->scx.slice = slice_ns;
}

static inline void task_set_vtime(struct task_struct* p, u64 vtime)
{
	if (bpf_ksym_exists(scx_bpf_task_set_dsq_vtime___ours))
		scx_bpf_task_set_dsq_vtime___ours(p, vtime);
	else
		p->scx.dsq_vtime = vtime;
}

/* ---- exit record: abi/exit.h has the convention ---- */

struct user_exit_info exit_record SEC(".data");
const volatile u32 exit_record_dump_len = 1;            /* set by the loader */
char exit_record_dump[1] SEC(".data.exit_record_dump"); /* sized by the loader */

static inline void record_exit(const struct scx_exit_info* info)
{
	bpf_probe_read_kernel_str(exit_record.reason, sizeof(exit_record.reason), info->reason);
	bpf_probe_read_kernel_str(exit_record.msg, sizeof(exit_record.msg), info->msg);
	bpf_probe_read_kernel_str(exit_record_dump, exit_record_dump_len, info->dump);
	exit_record.exit_code = info->exit_code;
	/* Last, and atomically: a kind other than 0 tells the reader that the rest is there. */
	__sync_val_compare_and_swap(&exit_record.kind, 0, (s32)info->kind);
}

/* Ejects the scheduler with a message: for what cannot happen. */
#define scx_error(fmt, args...)                                                                                    \
	({                                                                                                         \
		static char scx_error_fmt[] = fmt;                                                                 \
		unsigned long long scx_error_args[___bpf_narg(args) ?: 1] = {};                                    \
		___bpf_fill(scx_error_args, args);                                                                 \
		scx_bpf_error_bstr(scx_error_fmt, scx_error_args, ___bpf_narg(args) * sizeof(unsigned long long)); \
	})
