// SPDX-License-Identifier: GPL-2.0-only
#include "object/loaded.h"

#include <linux/bpf.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/capability.h"
#include "base/fd.h"
#include "base/file.h"
#include "object/class_waits.h"
#include "object/kernel_lists.h"

namespace punctual {
namespace {

constexpr int kUnloadPolls = 1000;  // of 10 ms

template <typename Value>
std::vector<Value> read_per_cpu(const UniqueFd& map, uint32_t row)
{
	std::vector<Value> values(libbpf_num_possible_cpus());
	static_assert(sizeof(Value) % 8 == 0, "the kernel rounds per-CPU values up to 8 bytes");
	if (bpf_map_lookup_elem(map.get(), &row, values.data()) != 0)
		values.clear();
	return values;
}

sched_stats sum(const std::vector<sched_stats>& per_cpu)
{
	static_assert(sizeof(sched_stats) % sizeof(u64) == 0);
	sched_stats total = {};
	auto* to = reinterpret_cast<u64*>(&total);
	for (const sched_stats& stats : per_cpu) {
		auto* from = reinterpret_cast<const u64*>(&stats);
		for (size_t i = 0; i < sizeof(stats) / sizeof(u64); i++)
			to[i] += from[i];
	}
	return total;
}

void read_counters(const std::vector<KernelProgram>& programs, LoadedScheduler* loaded)
{
	UniqueFd stats = find_kernel_map(programs, "stats", sizeof(sched_stats));
	if (stats)
		if (auto per_cpu = read_per_cpu<sched_stats>(stats, 0); !per_cpu.empty())
			loaded->stats = sum(per_cpu);
	UniqueFd classes = find_kernel_map(programs, "class_stats", sizeof(class_stats));
	if (classes)
		loaded->classes = read_classes(classes.get());
	loaded->verdicts = read_verdicts(find_kernel_map(programs, "class_verdicts", sizeof(class_verdict)));
}

bool is_scheduler_map(const UniqueFd& map, const SchedExtTypes& types)
{
	bpf_map_info info = {};
	uint32_t length = sizeof(info);
	return map && bpf_map_get_info_by_fd(map.get(), &info, &length) == 0 && info.type == BPF_MAP_TYPE_STRUCT_OPS &&
	       info.btf_vmlinux_value_type_id == types.value;
}

// info.struct_ops.map_id, which the kernel headers of Debian 12 do not name yet: the union's first member.
uint32_t struct_ops_map_id(const bpf_link_info& info)
{
	uint32_t id = 0;
	std::memcpy(&id, &info.raw_tracepoint, sizeof(id));
	return id;
}

// Every way in which a scheduler may be attached: by a link, or by an element of its struct_ops map.
void detach_schedulers()
{
	SchedExtTypes types = sched_ext_types();
	uint32_t id = 0;
	for (uint32_t n = 0; n < kKernelObjectsMax && bpf_link_get_next_id(id, &id) == 0; n++) {
		UniqueFd fd(bpf_link_get_fd_by_id(id));
		bpf_link_info info = {};
		uint32_t length = sizeof(info);
		if (fd && bpf_link_get_info_by_fd(fd.get(), &info, &length) == 0 &&
		    info.type == BPF_LINK_TYPE_STRUCT_OPS &&
		    is_scheduler_map(UniqueFd(bpf_map_get_fd_by_id(struct_ops_map_id(info))), types))
			bpf_link_detach(fd.get());
	}
	id = 0;
	for (uint32_t n = 0; n < kKernelObjectsMax && bpf_map_get_next_id(id, &id) == 0; n++) {
		UniqueFd fd(bpf_map_get_fd_by_id(id));
		uint32_t zero = 0;
		if (is_scheduler_map(fd, types))
			bpf_map_delete_elem(fd.get(), &zero);
	}
}

}  // namespace

class_verdict LoadedScheduler::verdict_of(const class_stats& row) const
{
	const auto verdict = std::ranges::find(verdicts, row.cgroup_id, &class_verdict::cgroup_id);
	return verdict == verdicts.end() ? class_verdict() : *verdict;
}

Result<std::optional<LoadedScheduler>> loaded_scheduler()
{
	LoadedScheduler loaded;
	loaded.name = TRY(active_scheduler());
	if (loaded.name.empty())
		return std::nullopt;
	if (!may_open_bpf_of_others())
		return fail(ExitCode::lacking,
			    "scheduler {} is loaded; reading its counters needs root (sudo punctual status)",
			    loaded.name);
	loaded.serves_all = read_line("/sys/kernel/sched_ext/switch_all").value_or("1") == "1";
	std::vector<KernelProgram> programs = sched_ext_programs();
	timespec now = {};
	clock_gettime(CLOCK_BOOTTIME, &now);
	uint64_t now_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	for (const KernelProgram& program : programs) {
		loaded.programs.push_back({program.info.id, program.info.name});
		loaded.loaded_ns_ago = std::max<uint64_t>(loaded.loaded_ns_ago,
							  now_ns - std::min<uint64_t>(now_ns, program.info.load_time));
	}
	read_counters(programs, &loaded);
	return loaded;
}

Status unload_scheduler()
{
	std::string name = TRY(active_scheduler());
	if (name.empty())
		return fail(ExitCode::failed, "no scheduler is loaded: the kernel runs its own");
	if (geteuid() != 0)
		return fail(ExitCode::lacking, "detaching {} needs root (sudo punctual unload)", name);
	detach_schedulers();
	for (int i = 0; i < kUnloadPolls; i++) {
		if (TRY(active_scheduler()).empty())
			return {};
		poll(nullptr, 0, 10);
	}
	return fail(ExitCode::failed, "{} is still loaded; SysRq-S removes any scheduler: echo S > /proc/sysrq-trigger",
		    name);
}

}  // namespace punctual
