// SPDX-License-Identifier: GPL-2.0-only
#include "object/variables.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/units.h"

namespace punctual {
namespace {

// Follows const, volatile and typedef.
const btf_type* plain_type(const struct btf* btf, uint32_t id)
{
	const btf_type* type = btf__type_by_id(btf, id);
	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

Variable describe(const struct btf* btf, bpf_map* map, const btf_var_secinfo& info, bool is_constant)
{
	const btf_type* var = btf__type_by_id(btf, info.type);
	const btf_type* type = plain_type(btf, var->type);
	Variable variable;
	variable.name = btf__name_by_offset(btf, var->name_off);
	variable.map = map;
	variable.offset = info.offset;
	variable.is_constant = is_constant;
	size_t size = 0;
	auto* value = static_cast<std::byte*>(bpf_map__initial_value(map, &size));
	if (value && info.offset + info.size <= size)
		variable.bytes = {value + info.offset, info.size};
	if (type && btf_is_struct(type))
		variable.type = btf__name_by_offset(btf, type->name_off);
	if (type && (btf_is_int(type) || btf_is_any_enum(type))) {
		variable.scalar_bytes = info.size;
		variable.is_signed = btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_SIGNED);
		variable.is_bool = btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_BOOL);
	}
	return variable;
}

// Constants that the loader fills itself are nobody else's to set.
bool is_tunable(const Variable& variable)
{
	static constexpr std::string_view kOfTheLoader[] = {"cpus_in_scope", "llc_of_cpu", "nr_llcs",
							    "record_decisions"};
	return variable.is_constant && variable.scalar_bytes && !variable.name.starts_with("__") &&
	       !variable.name.ends_with("_dump_len") &&
	       std::ranges::find(kOfTheLoader, variable.name) == std::end(kOfTheLoader);
}

Result<int64_t> parse_value(std::string_view name, std::string_view text)
{
	if (text == "true")
		return 1;
	if (text == "false")
		return 0;
	int64_t value = 0;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error == std::errc() && end == text.data() + text.size())
		return value;
	if (name.ends_with("_ns")) {
		if (auto duration = parse_duration(text))
			return duration->count();
	}
	return fail(ExitCode::usage, "tunable {}: '{}' is not a number{}", name, text,
		    name.ends_with("_ns") ? " of ns or a duration such as 20us" : "");
}

}  // namespace

Variables Variables::of(bpf_object* object)
{
	Variables variables;
	const struct btf* btf = bpf_object__btf(object);
	if (!btf)
		return variables;
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const btf_type* section = btf__type_by_id(btf, id);
		if (!btf_is_datasec(section))
			continue;
		std::string_view name = btf__name_by_offset(btf, section->name_off);
		if (!name.starts_with(".rodata") && !name.starts_with(".data") && !name.starts_with(".bss"))
			continue;
		bpf_map* map = bpf_object__find_map_by_name(object, std::string(name).c_str());
		if (!map)
			continue;
		for (int i = 0; i < btf_vlen(section); i++)
			variables.all_.push_back(
			    describe(btf, map, btf_var_secinfos(section)[i], name.starts_with(".rodata")));
	}
	return variables;
}

const Variable* Variables::find(std::string_view name) const
{
	for (const Variable& variable : all_)
		if (variable.name == name)
			return &variable;
	return nullptr;
}

const Variable* Variables::find_by_type(std::string_view struct_name) const
{
	for (const Variable& variable : all_)
		if (variable.type == struct_name)
			return &variable;
	return nullptr;
}

std::vector<const Variable*> Variables::tunables() const
{
	std::vector<const Variable*> tunables;
	for (const Variable& variable : all_)
		if (is_tunable(variable))
			tunables.push_back(&variable);
	return tunables;
}

bool store_scalar(const Variable& variable, int64_t value)
{
	uint32_t bits = variable.is_bool ? 1 : variable.scalar_bytes * 8;
	if (bits == 0 || variable.bytes.size() != variable.scalar_bytes)
		return false;
	if (bits < 64) {
		int64_t low = variable.is_signed ? -(int64_t{1} << (bits - 1)) : 0;
		int64_t high = (int64_t{1} << (variable.is_signed ? bits - 1 : bits)) - 1;
		if (value < low || value > high)
			return false;
	} else if (!variable.is_signed && value < 0) {
		return false;
	}
	std::memcpy(variable.bytes.data(), &value, variable.scalar_bytes);  // little endian, as BPF on x86 and arm64
	return true;
}

Status Variables::set_tunable(std::string_view assignment) const
{
	size_t equals = assignment.find('=');
	if (equals == std::string_view::npos || equals == 0)
		return fail(ExitCode::usage, "'{}' is not NAME=VALUE", assignment);
	std::string_view name = assignment.substr(0, equals);
	const Variable* variable = find(name);
	if (!variable || !is_tunable(*variable)) {
		std::string known;
		for (const Variable* other : tunables())
			known += (known.empty() ? "" : ", ") + other->name;
		return fail(ExitCode::usage, "the scheduler has no tunable '{}' (it has: {})", name,
			    known.empty() ? "none" : known);
	}
	int64_t value = TRY(parse_value(name, assignment.substr(equals + 1)));
	if (!store_scalar(*variable, value))
		return fail(ExitCode::usage, "tunable {}: {} does not fit into {}", name, value,
			    variable->is_bool ? "a bool (true or false)"
					      : fmt::format("{} {} bits", variable->is_signed ? "signed" : "unsigned",
							    variable->scalar_bytes * 8));
	return {};
}

}  // namespace punctual
