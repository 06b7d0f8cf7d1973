// SPDX-License-Identifier: GPL-2.0-only
#include "object/ops_fields.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

namespace punctual {

Result<OpsFields> OpsFields::of(bpf_object* object)
{
	OpsFields ops;
	ops.btf_ = bpf_object__btf(object);
	bpf_map* map = nullptr;
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		uint32_t type_id = ops.type_of(bpf_map__name(map));
		const btf_type* type = btf__type_by_id(ops.btf_, type_id);
		std::string_view name = type_id ? btf__name_by_offset(ops.btf_, type->name_off) : "";
		if (name != "sched_ext_ops" && !name.starts_with("sched_ext_ops___"))
			continue;
		if (ops.map_)
			return fail(ExitCode::usage, "holds more than one scheduler ({} and {}); one can be loaded",
				    bpf_map__name(ops.map_), bpf_map__name(map));
		size_t size = 0;
		auto* table = static_cast<std::byte*>(bpf_map__initial_value(map, &size));
		ops.map_ = map;
		ops.type_id_ = type_id;
		ops.table_ = {table, table ? size : 0};
	}
	if (!ops.map_)
		return fail(ExitCode::usage, "holds no sched_ext scheduler (no struct_ops of type sched_ext_ops)");
	return ops;
}

// 0: no struct.
uint32_t OpsFields::type_of(std::string_view variable) const
{
	for (uint32_t id = 1; btf_ && id < btf__type_cnt(btf_); id++) {
		const btf_type* type = btf__type_by_id(btf_, id);
		if (btf_is_var(type) && variable == btf__name_by_offset(btf_, type->name_off)) {
			const btf_type* target = btf__type_by_id(btf_, type->type);
			return target && btf_is_struct(target) ? type->type : 0;
		}
	}
	return 0;
}

std::string OpsFields::name() const
{
	std::span<std::byte> bytes = field("name");
	const auto* text = reinterpret_cast<const char*>(bytes.data());
	return bytes.empty() ? "" : std::string(text, strnlen(text, bytes.size()));
}

void OpsFields::for_each(const std::function<void(const std::string& member, std::span<std::byte> bytes)>& visit) const
{
	const btf_type* type = btf__type_by_id(btf_, type_id_);
	for (int i = 0; i < btf_vlen(type); i++) {
		const btf_member& member = btf_members(type)[i];
		int64_t size = btf__resolve_size(btf_, member.type);
		size_t offset = btf_member_bit_offset(type, i) / 8;
		if (size > 0 && offset + size <= table_.size())  // a damaged object may say anything
			visit(btf__name_by_offset(btf_, member.name_off),
			      table_.subspan(offset, static_cast<size_t>(size)));
	}
}

std::span<std::byte> OpsFields::field(std::string_view wanted) const
{
	std::span<std::byte> found;
	for_each([&](const std::string& member, std::span<std::byte> bytes) {
		if (member == wanted)
			found = bytes;
	});
	return found;
}

}  // namespace punctual
