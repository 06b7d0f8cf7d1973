/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as far as our BPF programs see it: only the types, fields and kfuncs that we use.
 *
 * Written by hand instead of a generated vmlinux.h (135,000 lines, and different on every build
 * host). Safe because every access is relocated by name when the object is loaded (CO-RE): a
 * field only has to exist, its offset here does not matter. Numbers of kernel enums are read
 * with bpf_core_enum_value(), so the ones written here do not matter either.
 */
#pragma once

#include "abi/types.h"

typedef u8 __u8;
typedef s16 __s16;
typedef u16 __u16;
typedef s32 __s32;
typedef u32 __u32;
typedef s64 __s64;
typedef u64 __u64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
	BPF_MAP_TYPE_CGRP_STORAGE = 32,
};
enum { BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1, BPF_F_TIMER_CPU_PIN = 2, BPF_RB_NO_WAKEUP = 1 };
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_F_MMAPABLE = 1024 };

constexpr u32 PF_KTHREAD = 0x00200000; /* include/linux/sched.h; the same since 2.6 */
constexpr s32 CLOCK_MONOTONIC = 1;
constexpr s32 ENOENT = 2;
constexpr s32 ENOMEM = 12;
constexpr s32 EINVAL = 22;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	u64 id;
};

struct cgroup_subsys_state {
	struct cgroup* cgroup;
	struct cgroup_subsys_state* parent;
};

struct cgroup_root {
	int hierarchy_id; /* 0: the default hierarchy, that of version 2 */
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node* kn;
	struct cgroup_root* root;
	int level; /* 0: the root */
};

struct css_set {
	struct cgroup* dfl_cgrp;
};

struct sched_entity {
	u64 sum_exec_runtime;
};

struct sched_info { /* empty without CONFIG_SCHED_INFO */
	unsigned long long run_delay;
};

struct sched_ext_entity {
	u32 flags;
	u32 weight;
	u64 slice;
	u64 dsq_vtime;
};

/* A body, not a forward declaration: libbpf compares the kinds of types in kfunc prototypes. */
struct cpumask {
	unsigned long bits[1];
};

struct task_struct {
	u32 flags;
	u32 on_cpu; /* int, since 7.3 u8: only unsigned loads are adjusted to another size */
	s32 pid;
	s32 tgid;
	u64 start_time; /* CLOCK_MONOTONIC */
	unsigned long nvcsw;
	unsigned long nivcsw;
	char comm[16];
	int nr_cpus_allowed;
	unsigned short migration_disabled;
	const struct cpumask* cpus_ptr;
	struct sched_entity se;
	struct sched_ext_entity scx;
	struct sched_info sched_info;
	struct css_set* cgroups;
};

/* What tasks of the other classes, and interrupts, took of a CPU lately: in 1/1024. */
struct sched_avg {
	unsigned long util_avg;
};

struct rq {
	struct sched_avg avg_rt;
	struct sched_avg avg_dl;
	struct sched_avg avg_irq; /* only in kernels that account for interrupts */
};

enum cpuhp_state { CPUHP_AP_ACTIVE };

struct cpuhp_cpu_state {
	enum cpuhp_state state;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file* seq;
};

struct bpf_iter__task {
	union {
		struct bpf_iter_meta* meta;
		u64 meta_bits;
	};
	union {
		struct task_struct* task;
		u64 task_bits;
	};
};

struct scx_init_task_args {
	bool fork;
};

struct scx_cgroup_init_args {
	u32 weight;
};

struct scx_exit_task_args {
	bool cancelled;
};

enum scx_exit_kind { SCX_EXIT_NONE };

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char* reason;
	const char* msg;
	const char* dump;
};

#pragma clang attribute pop

struct bpf_timer {
	u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_iter_scx_dsq {
	u64 opaque[6];
} __attribute__((aligned(8)));

struct bpf_iter_num {
	u64 opaque[1];
} __attribute__((aligned(8)));

extern struct cgroup* bpf_cgroup_ancestor(struct cgroup* cgrp, int level) __ksym;
extern void bpf_cgroup_release(struct cgroup* cgrp) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int bpf_iter_num_new(struct bpf_iter_num* it, int start, int end) __ksym;
extern int* bpf_iter_num_next(struct bpf_iter_num* it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num* it) __ksym;
extern const struct rq runqueues __ksym; /* one a CPU */
