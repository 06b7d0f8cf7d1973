// SPDX-License-Identifier: GPL-2.0-only
#include "runq/probes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>

#include "base/kernel_choice.h"
#include "base/capability.h"
#include "object/libbpf_log.h"
#include "object/variables.h"
#include "runq/memory_limit.h"

// Made by cmake/bpf.cmake.
extern "C" {
extern const std::byte runq_object_begin, runq_object_end;
}

namespace punctual {
namespace {

constexpr u64 kBlameNs = 10'000;
constexpr u64 kFirstOutlierNs = 1'000'000;  // until enough was seen to know better

Result<ObjectPtr> open_runq()
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "runq");
	ObjectPtr object(bpf_object__open_mem(&runq_object_begin, &runq_object_end - &runq_object_begin, &options));
	if (!object)
		return fail_errno(errno, ExitCode::failed, "cannot open the built-in run-queue probes");
	return object;
}

// A name or a value that does not fit is our own mistake, and would make wrong numbers.
Status set(const Variables& variables, const char* name, u64 value)
{
	const Variable* variable = variables.find(name);
	if (!variable || !store_scalar(*variable, static_cast<s64>(value)))
		return fail(ExitCode::failed, "the run-queue probes have no option {} that holds {}", name, value);
	return {};
}

Status set_cpus(const Variables& variables, const CpuList& cpus)
{
	std::array<u64, CpuList::kCpusMax / 64> bits = {};
	for (int cpu : cpus.cpus())
		bits[static_cast<size_t>(cpu) / 64] |= 1ULL << (cpu % 64);
	const Variable* variable = variables.find("wanted_cpus");
	if (!variable || variable->bytes.size() != sizeof(bits))
		return fail(ExitCode::failed, "the run-queue probes have no list of CPUs");
	std::memcpy(variable->bytes.data(), bits.data(), sizeof(bits));
	return set(variables, "filter_cpus", 1);
}

Status set_options(bpf_object* object, const CollectorOptions& options, u32 nr_rows, u32 nr_cpus)
{
	const Variables variables = Variables::of(object);
	const u32 per_second = std::max(options.outliers_per_second_max / nr_cpus, 1U);
	const u64 blame_ns = options.outlier_ns_min ? std::min(options.outlier_ns_min, kBlameNs) : kBlameNs;
	TRY(set(variables, "wanted_tgid", options.tgid.value_or(0)));
	TRY(set(variables, "wanted_cgroup", options.cgroup_id.value_or(0)));
	TRY(set(variables, "with_waking", options.waking));
	TRY(set(variables, "tell_all_tasks", options.tasks));
	TRY(set(variables, "blame_ns_min", blame_ns));
	TRY(set(variables, "outliers_per_second", per_second));
	TRY(set(variables, "nr_rows_max", nr_rows));
	if (options.cpus)
		TRY(set_cpus(variables, *options.cpus));
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "runq_rows"), nr_rows);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "runq_culprits"), nr_rows * (nr_rows + 1));
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "runq_mkdir"), true);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "runq_waking"), options.waking);
	return {};
}

std::unexpected<Error> load_error(int error, const LibbpfLog& log)
{
	if (error == EPERM || error == EACCES)
		return fail(ExitCode::lacking,
			    "cannot load the run-queue probes: not permitted; run as root; the log is in {}",
			    log.keep("runq"));
	if (error == ENOMEM)
		return fail(ExitCode::lacking, "cannot load the run-queue probes: not enough memory for the counters");
	return fail(ExitCode::lacking,
		    "cannot load the run-queue probes: {}; they need Linux 6.1 or later with BTF and cgroups; the "
		    "verifier's log is in {}",
		    std::strerror(error), log.keep("runq"));
}

template <typename T>
Result<Mapped<T>> map_of(int fd, size_t bytes)
{
	void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return fail_errno(errno, ExitCode::failed, "cannot map the counters of the run-queue probes");
	return Mapped<T>(static_cast<T*>(memory), Unmap{bytes});
}

// The end of waits before their beginnings: else a task could be stamped, run unseen, and keep the stamp.
constexpr const char* kAttachOrder[] = {"runq_switch", "runq_wakeup", "runq_wakeup_new",
					"runq_waking", "runq_mkdir",  "runq_tasks"};

Status attach_programs(Probes* probes)
{
	for (const char* name : kAttachOrder) {
		bpf_program* program = bpf_object__find_program_by_name(probes->object.get(), name);
		if (!bpf_program__autoload(program))
			continue;
		bpf_link* link = bpf_program__attach(program);
		if (!link)
			return fail_errno(errno, ExitCode::lacking,
					  fmt::format("cannot attach the run-queue probe {}", name));
		probes->links.emplace_back(link);
		probes->events.push_back(bpf_program__fd(program));
	}
	probes->events.pop_back();  // the iterator runs when it is read
	probes->tasks = probes->links.back().get();
	return {};
}

}  // namespace

void Unmap::operator()(volatile void* memory) const
{
	munmap(const_cast<void*>(memory), bytes);
}

Result<Probes> Probes::load(const CollectorOptions& options, u32 nr_rows)
{
	if (!may_trace_by_bpf())
		return fail(ExitCode::lacking, "measuring run-queue waits needs root (sudo punctual ...)");
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		return fail(ExitCode::lacking,
			    "this kernel has no type information (/sys/kernel/btf/vmlinux): boot one built with "
			    "CONFIG_DEBUG_INFO_BTF, as Debian's are");
	TRY(check_memory_limit());
	TRY(check_bpf_may_read());
	LibbpfLog log;
	Probes probes;
	probes.object = TRY(open_runq());
	probes.nr_rows = nr_rows;
	probes.nr_cpus = static_cast<u32>(std::max(libbpf_num_possible_cpus(), 1));
	TRY(set_options(probes.object.get(), options, nr_rows, probes.nr_cpus));
	if (int error = bpf_object__load(probes.object.get()); error != 0)
		return load_error(-error, log);
	const size_t nr_cells = static_cast<size_t>(nr_rows) * (nr_rows + 1);
	probes.control = TRY(map_of<runq_control>(probes.map_fd("runq_control"), sizeof(runq_control)));
	probes.culprits = TRY(map_of<volatile u64>(probes.map_fd("runq_culprits"), nr_cells * sizeof(u64)));
	probes.control->outlier_ns = options.outlier_ns_min ? options.outlier_ns_min : kFirstOutlierNs;
	TRY(attach_programs(&probes));
	return probes;
}

}  // namespace punctual
