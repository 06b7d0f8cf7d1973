// SPDX-License-Identifier: GPL-2.0-only
#include "object/kernel_types.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <bpf/btf.h>

#include "object/libbpf_log.h"

namespace punctual {
namespace {

struct BtfFree {
	void operator()(struct btf* btf) const { btf__free(btf); }
};

void collect_constants(const struct btf* btf, const btf_type* type,
		       std::unordered_map<std::string, uint64_t>* constants)
{
	auto add = [&](uint32_t name_offset, uint64_t value) {
		const char* name = btf__name_by_offset(btf, name_offset);
		if (name && std::strncmp(name, "SCX_", 4) == 0)
			constants->emplace(name, value);
	};
	if (btf_is_enum64(type)) {
		for (int i = 0; i < btf_vlen(type); i++)
			add(btf_enum64(type)[i].name_off, btf_enum64_value(&btf_enum64(type)[i]));
	} else if (btf_is_enum(type)) {
		for (int i = 0; i < btf_vlen(type); i++) {
			int32_t value = btf_enum(type)[i].val;
			// Only signed enums extend their sign: SCX_DSQ ids of old BTF must not.
			add(btf_enum(type)[i].name_off,
			    btf_kflag(type) ? static_cast<uint64_t>(value) : static_cast<uint32_t>(value));
		}
	}
}

bool last_parameter_is_aux(const struct btf* btf)
{
	int id = btf__find_by_name_kind(btf, "scx_bpf_create_dsq", BTF_KIND_FUNC);
	if (id < 0)
		return false;
	const btf_type* proto = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (btf_vlen(proto) == 0)
		return false;
	const char* name = btf__name_by_offset(btf, btf_params(proto)[btf_vlen(proto) - 1].name_off);
	return name && std::strcmp(name, "aux") == 0;
}

}  // namespace

Result<KernelTypes> KernelTypes::load(const std::string& path)
{
	LibbpfLog quiet;
	std::unique_ptr<struct btf, BtfFree> btf(btf__parse(path.c_str(), nullptr));
	if (!btf)
		return fail(ExitCode::lacking,
			    "cannot read kernel type information {}: {} (the kernel needs CONFIG_DEBUG_INFO_BTF)", path,
			    std::strerror(errno));
	KernelTypes types;
	for (uint32_t id = 1; id < btf__type_cnt(btf.get()); id++) {
		const btf_type* type = btf__type_by_id(btf.get(), id);
		if (btf_is_any_enum(type))
			collect_constants(btf.get(), type, &types.constants_);
	}
	int ops = btf__find_by_name_kind(btf.get(), "sched_ext_ops", BTF_KIND_STRUCT);
	if (ops < 0)
		return fail(
		    ExitCode::lacking,
		    "this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT); Debian kernels have it from 6.16 on "
		    "(trixie-backports), and `punctual lab` boots one in QEMU");
	const btf_type* type = btf__type_by_id(btf.get(), ops);
	for (int i = 0; i < btf_vlen(type); i++)
		types.ops_members_.emplace(btf__name_by_offset(btf.get(), btf_members(type)[i].name_off));
	types.kfuncs_are_broken_ = last_parameter_is_aux(btf.get()) &&
				   btf__find_by_name_kind(btf.get(), "scx_bpf_create_dsq_impl", BTF_KIND_FUNC) < 0;
	return types;
}

std::optional<uint64_t> KernelTypes::constant(const std::string& name) const
{
	auto found = constants_.find(name);
	if (found == constants_.end())
		return std::nullopt;
	return found->second;
}

}  // namespace punctual
