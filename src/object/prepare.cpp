// SPDX-License-Identifier: GPL-2.0-only
#include "object/prepare.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/file.h"
#include "object/decision_ring.h"
#include "object/libbpf_version.h"
#include "object/ops_fields.h"
#include "object/topology.h"

namespace punctual {
namespace {

constexpr uint32_t kTimeoutMsMax = 30000;              // more is refused by the kernel (-E2BIG)
constexpr uint32_t kDumpBytes = 32768;                 // exit_dump_len's default in the kernel
constexpr uint64_t kFlagHasCgroupWeight = 1ULL << 16;  // had no effect since 6.15, refused since 7.1

// Objects built with the kernel's scx headers keep every constant in a variable __SCX_NAME that
// the loader fills. Left at 0, SCX_DSQ_LOCAL would be an ordinary queue: it loads and misbehaves.
void fill_constants(const Variables& variables, const KernelTypes& kernel)
{
	for (const Variable& variable : variables.all()) {
		if (!variable.is_constant || !variable.name.starts_with("__SCX_") || variable.bytes.size() != 8)
			continue;
		uint64_t value = kernel.constant(variable.name.substr(2)).value_or(0);
		std::memcpy(variable.bytes.data(), &value, sizeof(value));
	}
}

// libbpf refuses members that the kernel lacks unless they are 0; a callback's program then stays unloaded.
void clear_unknown_members(const OpsFields& ops, bpf_object* object, const KernelTypes& kernel,
			   std::vector<std::string>* notes)
{
	ops.for_each([&](const std::string& name, std::span<std::byte> bytes) {
		bool is_set = false;
		for (std::byte byte : bytes)
			is_set |= byte != std::byte{0};
		if (!is_set || kernel.ops_has_member(name))
			return;
		notes->push_back(fmt::format("this kernel has no ops.{}: left out", name));
		void* pointer = nullptr;
		if (bytes.size() == sizeof(pointer))
			std::memcpy(&pointer, bytes.data(), sizeof(pointer));
		bpf_program* program = nullptr;
		bpf_object__for_each_program(program, object)
		{
			if (program == pointer)
				bpf_program__set_autoload(program, false);
		}
		std::memset(bytes.data(), 0, bytes.size());
	});
}

Status check_flags(const OpsFields& ops, const KernelTypes& kernel, std::vector<std::string>* notes)
{
	std::optional<uint64_t> known = kernel.constant("SCX_OPS_ALL_FLAGS");
	uint64_t flags = ops.load<uint64_t>("flags");
	if (!known)
		return {};
	uint64_t unknown = flags & ~*known;
	if (unknown & ~kFlagHasCgroupWeight)
		return fail(ExitCode::lacking,
			    "it sets ops.flags {:#x}, which this kernel does not know; run it on the kernel it was "
			    "built for",
			    unknown & ~kFlagHasCgroupWeight);
	if (unknown & kFlagHasCgroupWeight)
		notes->push_back("flag SCX_OPS_HAS_CGROUP_WEIGHT no longer exists: dropped");
	ops.store("flags", flags & *known);
	return {};
}

// Without it the kernel hands every normal task of the machine to the scheduler.
Status switch_partial(const OpsFields& ops, const KernelTypes& kernel)
{
	std::optional<uint64_t> partial = kernel.constant("SCX_OPS_SWITCH_PARTIAL");
	if (!partial)
		return fail(ExitCode::lacking,
			    "this kernel has no partial mode (SCX_OPS_SWITCH_PARTIAL); leave --only out");
	if (!ops.store("flags", ops.load<uint64_t>("flags") | *partial))
		return fail(ExitCode::usage,
			    "it cannot run in partial mode (built without ops.flags); leave --only out");
	return {};
}

// As far as both reach: more CPUs than the object is built for are its own matter to refuse.
void fill_table(const Variables& variables, std::string_view name, std::span<const std::byte> rows)
{
	if (const Variable* table = variables.find(name))
		std::ranges::copy(rows.first(std::min(rows.size(), table->bytes.size())), table->bytes.begin());
}

// Rows of the object's tables: which CPUs are in scope, and where CPUs and caches lie.
Status describe_machine(const Variables& variables, const CpuList& cpus, bool are_others_kept_off)
{
	const Variable* scope = variables.find("cpus_in_scope");
	if (!scope && !cpus.empty() && !are_others_kept_off)
		return fail(ExitCode::usage,
			    "it cannot be limited to CPUs (no variable cpus_in_scope); run it without --cpus");
	if (scope && !cpus.empty()) {
		std::memset(scope->bytes.data(), 0, scope->bytes.size());
		for (int cpu : cpus.cpus())
			if (static_cast<size_t>(cpu) / 8 < scope->bytes.size())
				scope->bytes[cpu / 8] |= std::byte{1} << cpu % 8;
	}
	const Variable* nr_llcs = variables.find("nr_llcs");
	if (!nr_llcs)
		return {};
	Topology topology = layout(TRY(read_cpu_places()), cpus);
	fill_table(variables, "llc_of_cpu", std::as_bytes(std::span(topology.llc_of_cpu)));
	fill_table(variables, "next_in_llc", std::as_bytes(std::span(topology.next_in_llc)));
	fill_table(variables, "llc_places", std::as_bytes(std::span(topology.llc_places)));
	store_scalar(*nr_llcs, static_cast<int64_t>(topology.llc_places.size()));
	return {};
}

// Before 1.5 libbpf kept pointers into the object's BTF, which moves when a map is resized: the ops
// table was then loaded from freed memory. Calling a kernel function (.ksyms) makes libbpf move it
// early, with room to grow; only objects that call none are in danger.
bool may_resize(const struct btf* btf)
{
	return libbpf_major_version() > 1 || libbpf_minor_version() >= 5 ||
	       btf__find_by_name_kind(btf, ".ksyms", BTF_KIND_DATASEC) > 0;
}

// abi/exit.h has the convention.
Status size_exit_dump(bpf_object* object, const Variables& variables, const OpsFields& ops)
{
	const Variable* record = variables.find_by_type("user_exit_info");
	if (!record)
		return {};
	const Variable* length = variables.find(record->name + "_dump_len");
	bpf_map* dump = bpf_object__find_map_by_name(object, (".data." + record->name + "_dump").c_str());
	const struct btf* btf = bpf_object__btf(object);
	if (!length || !dump || !may_resize(btf))
		return {};
	uint32_t bytes = ops.load<uint32_t>("exit_dump_len");
	if (bytes == 0)
		bytes = kDumpBytes;
	const btf_type* before = btf__type_by_id(btf, ops.type_id());
	if (bpf_map__set_value_size(dump, bytes) == 0)
		store_scalar(*length, bytes);
	if (libbpf_major_version() == 1 && libbpf_minor_version() < 5 && btf__type_by_id(btf, ops.type_id()) != before)
		return fail(ExitCode::lacking, "libbpf {} cannot resize its exit dump; install libbpf 1.5 or newer",
			    libbpf_version());
	return {};
}

Status set_timeout(const OpsFields& ops, uint32_t wanted_ms, std::vector<std::string>* notes)
{
	if (wanted_ms > kTimeoutMsMax)
		return fail(ExitCode::usage, "watchdog timeout {} ms: the kernel allows at most {} ms", wanted_ms,
			    kTimeoutMsMax);
	uint32_t own_ms = ops.load<uint32_t>("timeout_ms");
	if (wanted_ms == 0 && own_ms > kTimeoutMsMax) {
		notes->push_back(fmt::format("its watchdog timeout of {} ms is more than the kernel allows: {} ms",
					     own_ms, kTimeoutMsMax));
		wanted_ms = kTimeoutMsMax;
	}
	if (wanted_ms && !ops.store("timeout_ms", wanted_ms))
		return fail(ExitCode::usage,
			    "its watchdog timeout cannot be set (built without ops.timeout_ms); leave --timeout out");
	return {};
}

// Many objects count on their own loader for some of these, and stall without: an operator should know.
void note_unset_tunables(const Variables& variables, std::vector<std::string>* notes)
{
	std::string names;
	for (const Variable* variable : variables.tunables()) {
		bool is_set = std::ranges::any_of(variable->bytes, [](std::byte byte) { return byte != std::byte{0}; });
		if (!is_set)
			names += (names.empty() ? "" : ", ") + variable->name;
	}
	if (!names.empty())
		notes->push_back(fmt::format("tunables left at 0: {} (--set NAME=VALUE)", names));
}

}  // namespace

Result<Prepared> prepare(bpf_object* object, const Variables& variables, const KernelTypes& kernel,
			 const PrepareOptions& options)
{
	if (kernel.kfuncs_are_broken())
		return fail(ExitCode::lacking,
			    "this kernel's BTF is broken: its sched_ext functions cannot be called by any scheduler "
			    "(known of Debian's 7.1.13 and 7.2.12 backports); boot another kernel, e.g. 6.18 or 7.3");
	OpsFields ops = TRY(OpsFields::of(object));
	Prepared prepared;
	prepared.ops = ops.map();
	prepared.name = ops.name();

	fill_constants(variables, kernel);
	clear_unknown_members(ops, object, kernel, &prepared.notes);
	TRY(check_flags(ops, kernel, &prepared.notes));
	if (options.only_named)
		TRY(switch_partial(ops, kernel));
	TRY(describe_machine(variables, options.cpus, options.only_named));
	for (const std::string& assignment : options.set)
		TRY(variables.set_tunable(assignment));
	if (options.record_decisions)
		TRY(prepare_decisions(object, variables));
	note_unset_tunables(variables, &prepared.notes);
	TRY(size_exit_dump(object, variables, ops));
	TRY(set_timeout(ops, options.timeout_ms, &prepared.notes));

	// Closes the race between looking at the CPUs here and attaching: the kernel compares it.
	if (auto text = read_line("/sys/kernel/sched_ext/hotplug_seq")) {
		uint64_t hotplug_seq = 0;
		std::from_chars(text->data(), text->data() + text->size(), hotplug_seq);
		ops.store("hotplug_seq", hotplug_seq);
	}
	return prepared;
}

}  // namespace punctual
