// SPDX-License-Identifier: GPL-2.0-only
#include "object/kernel_lists.h"

#include <algorithm>
#include <ranges>
#include <set>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/file.h"

namespace punctual {

SchedExtTypes sched_ext_types()
{
	SchedExtTypes types;
	struct btf* btf = btf__load_vmlinux_btf();
	if (!btf)
		return types;
	types.ops = std::max(0, btf__find_by_name_kind(btf, "sched_ext_ops", BTF_KIND_STRUCT));
	types.value = std::max(0, btf__find_by_name_kind(btf, "bpf_struct_ops_sched_ext_ops", BTF_KIND_STRUCT));
	btf__free(btf);
	return types;
}

Result<std::string> active_scheduler()
{
	auto state = read_line("/sys/kernel/sched_ext/state");
	if (!state)
		return fail(ExitCode::lacking,
			    "this kernel has no sched_ext (no /sys/kernel/sched_ext), so no scheduler can be loaded");
	if (*state == "disabled")
		return "";
	return read_line("/sys/kernel/sched_ext/root/ops").value_or("(" + *state + ")");
}

std::vector<KernelProgram> sched_ext_programs()
{
	SchedExtTypes types = sched_ext_types();
	std::vector<KernelProgram> programs;
	uint32_t id = 0;
	for (uint32_t n = 0; n < kKernelObjectsMax && bpf_prog_get_next_id(id, &id) == 0; n++) {
		UniqueFd fd(bpf_prog_get_fd_by_id(id));
		if (!fd)
			continue;
		KernelProgram program = {};
		uint32_t length = sizeof(program.info);
		if (bpf_prog_get_info_by_fd(fd.get(), &program.info, &length) != 0 ||
		    program.info.type != BPF_PROG_TYPE_STRUCT_OPS || program.info.attach_btf_id != types.ops)
			continue;
		program.map_ids.resize(program.info.nr_map_ids);
		bpf_prog_info with_maps = {};
		with_maps.nr_map_ids = program.map_ids.size();
		with_maps.map_ids = reinterpret_cast<uintptr_t>(program.map_ids.data());
		length = sizeof(with_maps);
		if (bpf_prog_get_info_by_fd(fd.get(), &with_maps, &length) != 0)
			continue;
		programs.push_back(std::move(program));
	}
	return programs;
}

UniqueFd find_kernel_map(const std::vector<KernelProgram>& programs, std::string_view name, uint32_t value_size)
{
	std::set<uint32_t> ids;
	for (const KernelProgram& program : programs)
		ids.insert(program.map_ids.begin(), program.map_ids.end());
	for (uint32_t id : std::views::reverse(ids)) {
		UniqueFd fd(bpf_map_get_fd_by_id(id));
		bpf_map_info info = {};
		uint32_t length = sizeof(info);
		if (fd && bpf_map_get_info_by_fd(fd.get(), &info, &length) == 0 && name == info.name &&
		    (value_size == 0 || info.value_size == value_size))
			return fd;
	}
	return {};
}

std::vector<class_verdict> read_verdicts(const UniqueFd& map)
{
	std::vector<class_verdict> verdicts;
	for (u32 row = 0; map && row < CLASSES_MAX; row++) {
		class_verdict verdict = {};
		if (bpf_map_lookup_elem(map.get(), &row, &verdict) == 0 && verdict.cgroup_id)
			verdicts.push_back(verdict);
	}
	return verdicts;
}

}  // namespace punctual
