// SPDX-License-Identifier: GPL-2.0-only
// The global variables of an opened BPF object, found by name through its own BTF.
// Borrows the object: it must outlive this, and pointers are good until the object is loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct bpf_object;
struct bpf_map;

namespace punctual {

struct Variable {
	std::string name;
	std::string type;            // struct name; empty for scalars and arrays
	bpf_map* map = nullptr;      // .rodata, .data or a map of its own
	uint32_t offset = 0;         // in that map's value
	std::span<std::byte> bytes;  // the value before load; empty for .bss-like maps without one
	uint32_t scalar_bytes = 0;   // 1, 2, 4 or 8 for integers, bool and enums, else 0
	bool is_signed = false;
	bool is_bool = false;
	bool is_constant = false;  // in .rodata: a tunable
};

class Variables {
 public:
	static Variables of(bpf_object* object);

	const Variable* find(std::string_view name) const;
	const Variable* find_by_type(std::string_view struct_name) const;
	const std::vector<Variable>& all() const { return all_; }

	// Scalars in .rodata, without those that the loader fills by itself.
	std::vector<const Variable*> tunables() const;

	// "NAME=VALUE" as the user wrote it: integers, true/false, and durations for names ending in _ns.
	Status set_tunable(std::string_view assignment) const;

 private:
	std::vector<Variable> all_;
};

// Writes an integer of 1, 2, 4 or 8 bytes; false when it does not fit.
bool store_scalar(const Variable& variable, int64_t value);

}  // namespace punctual
