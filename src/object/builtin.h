// SPDX-License-Identifier: GPL-2.0-only
// The schedulers that come inside the binary. Ordinary BPF objects: the loader treats them as it
// treats a file.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace punctual {

struct Builtin {
	std::string_view name;
	std::string_view summary;
	std::span<const std::byte> object;  // an ELF file for BPF
};

std::span<const Builtin> builtin_schedulers();
const Builtin* find_builtin(std::string_view name);  // nullptr: none of that name

}  // namespace punctual
