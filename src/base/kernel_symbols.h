// SPDX-License-Identifier: GPL-2.0-only
// Names of the kernel's functions, those of BPF programs among them (bpf_prog_<tag>_<name>), by address:
// /proc/kallsyms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

class KernelSymbols {
 public:
	// Of the running kernel. Error (lacking): the kernel hides addresses from us, with the remedy.
	static Result<KernelSymbols> read();
	// The same from text in the form of /proc/kallsyms; lines that are none are left out.
	static Result<KernelSymbols> parse(std::string text);

	// The function that an address lies in; "" when there is none. Lives as long as this.
	std::string_view name_at(uint64_t address) const;
	size_t size() const { return symbols_.size(); }

 private:
	struct Symbol {
		uint64_t address;
		uint32_t name_at;  // in text_, which may be moved: a short one does not stay where it is
		uint32_t name_bytes;
	};
	std::string text_;
	std::vector<Symbol> symbols_;  // by address; of several at one, the first of the file
};

}  // namespace punctual
