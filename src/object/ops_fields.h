// SPDX-License-Identifier: GPL-2.0-only
// The sched_ext_ops table of an opened object: its members by name, by the object's own type of
// it, whatever order and subset that has. Borrows the object; bytes are good until it is loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct bpf_map;
struct bpf_object;
struct btf;

namespace punctual {

class OpsFields {
 public:
	// Error (usage), without a subject: the object holds no scheduler, or more than one.
	static Result<OpsFields> of(bpf_object* object);

	bpf_map* map() const { return map_; }
	std::string name() const;                      // ops.name
	uint32_t type_id() const { return type_id_; }  // of the table, in the object's BTF

	void for_each(const std::function<void(const std::string& member, std::span<std::byte> bytes)>& visit) const;
	std::span<std::byte> field(std::string_view member) const;  // empty when the object was built without it

	// Integer members. load: 0, store: false, when the object was built without it.
	template <typename Integer>
	Integer load(std::string_view member) const
	{
		std::span<std::byte> bytes = field(member);
		Integer value = 0;
		if (bytes.size() == sizeof(value))
			std::memcpy(&value, bytes.data(), sizeof(value));
		return value;
	}
	template <typename Integer>
	bool store(std::string_view member, Integer value) const
	{
		std::span<std::byte> bytes = field(member);
		if (bytes.size() != sizeof(value))
			return false;
		std::memcpy(bytes.data(), &value, sizeof(value));
		return true;
	}

 private:
	OpsFields() = default;
	uint32_t type_of(std::string_view variable) const;

	const struct btf* btf_ = nullptr;
	bpf_map* map_ = nullptr;
	uint32_t type_id_ = 0;  // not a pointer: libbpf moves its types when a map is resized
	std::span<std::byte> table_;
};

}  // namespace punctual
