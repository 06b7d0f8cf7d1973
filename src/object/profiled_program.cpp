// SPDX-License-Identifier: GPL-2.0-only
#include "object/profiled_program.h"

#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "object/kernel_lists.h"

namespace punctual {
namespace {

constexpr u32 kFunctionsMax = 4096;  // of a program; the kernel allows fewer

struct Callback {
	std::string name;
	size_t offset;  // in the value of a scheduler's map
};

// Where the members of sched_ext_ops lie in this kernel.
struct OpsLayout {
	u32 value_type = 0;  // 0: this kernel has no sched_ext
	size_t name_offset = 0;
	std::vector<Callback> callbacks;
};

struct BtfFree {
	void operator()(btf* types) const { btf__free(types); }
};

const btf_type* struct_by_name(const btf* types, const char* name, u32* id)
{
	const int found = btf__find_by_name_kind(types, name, BTF_KIND_STRUCT);
	*id = found > 0 ? static_cast<u32>(found) : 0;
	return found > 0 ? btf__type_by_id(types, *id) : nullptr;
}

OpsLayout read_layout()
{
	OpsLayout layout;
	const std::unique_ptr<btf, BtfFree> types(btf__load_vmlinux_btf());
	u32 ops_type = 0;
	const btf_type* ops = types ? struct_by_name(types.get(), "sched_ext_ops", &ops_type) : nullptr;
	const btf_type* value =
	    ops ? struct_by_name(types.get(), "bpf_struct_ops_sched_ext_ops", &layout.value_type) : nullptr;
	if (!value)
		return layout;
	size_t ops_offset = 0;
	for (u32 i = 0; i < btf_vlen(value); i++)
		if (btf_members(value)[i].type == ops_type)
			ops_offset = btf_member_bit_offset(value, i) / 8;
	layout.callbacks.reserve(btf_vlen(ops));
	for (u32 i = 0; i < btf_vlen(ops); i++) {
		const btf_member& member = btf_members(ops)[i];
		const std::string_view name = btf__name_by_offset(types.get(), member.name_off);
		const size_t offset = ops_offset + btf_member_bit_offset(ops, i) / 8;
		if (name == "name")
			layout.name_offset = offset;
		else if (btf_is_ptr(btf__type_by_id(types.get(), member.type)))
			layout.callbacks.push_back({std::string(name), offset});
	}
	return layout;
}

// The value of the youngest map of a scheduler of this name: one that has just ended may linger. Empty: none.
std::vector<std::byte> value_of_scheduler(const OpsLayout& layout, std::string_view name)
{
	std::vector<std::byte> youngest;
	u32 id = 0;
	for (u32 n = 0; n < kKernelObjectsMax && bpf_map_get_next_id(id, &id) == 0; n++) {
		const UniqueFd fd(bpf_map_get_fd_by_id(id));
		bpf_map_info info = {};
		u32 length = sizeof(info);
		if (!fd || bpf_map_get_info_by_fd(fd.get(), &info, &length) != 0 ||
		    info.type != BPF_MAP_TYPE_STRUCT_OPS || info.btf_vmlinux_value_type_id != layout.value_type)
			continue;
		std::vector<std::byte> value(info.value_size);
		const u32 zero = 0;
		if (layout.name_offset >= value.size() || bpf_map_lookup_elem(fd.get(), &zero, value.data()) != 0)
			continue;
		const auto* text = reinterpret_cast<const char*>(value.data()) + layout.name_offset;
		if (name == std::string_view(text, ::strnlen(text, value.size() - layout.name_offset)))
			youngest = std::move(value);
	}
	return youngest;
}

CalledBy caller_of(u32 type)
{
	const bool by_trampoline =
	    type == BPF_PROG_TYPE_STRUCT_OPS || type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM;
	return by_trampoline ? CalledBy::trampoline : CalledBy::kernel;
}

std::vector<u64> read_addresses(int fd, u32 nr)
{
	std::vector<u64> addresses(std::min(nr, kFunctionsMax));
	bpf_prog_info info = {};
	info.nr_jited_ksyms = static_cast<u32>(addresses.size());
	info.jited_ksyms = reinterpret_cast<uintptr_t>(addresses.data());
	u32 length = sizeof(info);
	if (bpf_prog_get_info_by_fd(fd, &info, &length) != 0)
		addresses.clear();
	std::erase(addresses, 0);  // hidden from us
	return addresses;
}

}  // namespace

Result<ProfiledProgram> program_by_id(u32 id)
{
	ProfiledProgram program;
	program.fd = UniqueFd(bpf_prog_get_fd_by_id(id));
	if (!program.fd) {
		const int error = errno;
		if (error == EPERM || error == EACCES)
			return fail(ExitCode::lacking, "looking at BPF programs needs root (sudo punctual profile)");
	}
	bpf_prog_info info = {};
	u32 length = sizeof(info);
	if (!program.fd || bpf_prog_get_info_by_fd(program.fd.get(), &info, &length) != 0)
		return fail(ExitCode::usage, "there is no BPF program {} (bpftool prog list shows their ids)", id);
	program.id = id;
	program.name = info.name;
	program.called_by = caller_of(info.type);
	program.addresses = read_addresses(program.fd.get(), info.nr_jited_ksyms);
	return program;
}

Result<std::vector<ProfiledProgram>> callbacks_of_scheduler()
{
	std::vector<ProfiledProgram> programs;
	const auto name = active_scheduler();  // an error: this kernel has no sched_ext
	if (!name || name->empty())
		return programs;
	const OpsLayout layout = read_layout();
	const std::vector<std::byte> value = value_of_scheduler(layout, *name);
	if (value.empty())
		return fail(ExitCode::lacking,
			    "scheduler {} is loaded, but its callbacks cannot be read; that needs root and type "
			    "information (/sys/kernel/btf/vmlinux)",
			    *name);
	programs.reserve(layout.callbacks.size());
	for (const Callback& callback : layout.callbacks) {
		u64 id = 0;
		if (callback.offset + sizeof(id) > value.size())
			continue;
		std::memcpy(&id, value.data() + callback.offset, sizeof(id));
		if (id == 0)
			continue;
		auto program = program_by_id(static_cast<u32>(id));
		if (!program)
			continue;  // the scheduler ended just now
		program->callback = callback.name;
		programs.push_back(std::move(*program));
	}
	return programs;
}

}  // namespace punctual
