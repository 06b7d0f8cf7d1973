/* SPDX-License-Identifier: GPL-2.0-only */
/* Refuses to start while CPU 1 is offline: a reload that fails for a while. */
#include "bpf/scx.bpf.h"

extern const struct cpumask* scx_bpf_get_online_cpumask(void) __ksym;
extern void scx_bpf_put_cpumask(const struct cpumask* cpumask) __ksym;

char _license[] SEC("license") = "GPL";

SEC("struct_ops.s/needy_init")
s32 BPF_PROG(needy_init)
{
	const struct cpumask* online = scx_bpf_get_online_cpumask();
	bool has_both = bpf_cpumask_test_cpu(1, online);

	scx_bpf_put_cpumask(online);
	return has_both ? 0 : -ENOENT;
}

SEC("struct_ops/needy_exit")
void BPF_PROG(needy_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops needy_ops = {
    .init = (void*)needy_init,
    .exit = (void*)needy_exit,
    .name = "needs_two_cpus",
};
