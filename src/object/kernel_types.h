// SPDX-License-Identifier: GPL-2.0-only
// What the running kernel's type information (BTF) says about sched_ext. Hides libbpf's btf__*.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/result.h"

namespace punctual {

class KernelTypes {
 public:
	// From /sys/kernel/btf/vmlinux, or from a file (raw BTF or an ELF with .BTF).
	// Error (lacking) when there is no BTF or no sched_ext in it.
	static Result<KernelTypes> load(const std::string& path = "/sys/kernel/btf/vmlinux");

	// An enumerator whose name begins with SCX_, of any enum.
	std::optional<uint64_t> constant(const std::string& name) const;
	bool ops_has_member(const std::string& name) const { return ops_members_.contains(name); }

	// Debian's builds of 7.1.13 and 7.2.12: kfuncs still show their hidden last argument `aux`
	// and lack the _impl twin, so the verifier refuses nearly every scheduler.
	bool kfuncs_are_broken() const { return kfuncs_are_broken_; }

 private:
	KernelTypes() = default;
	std::unordered_map<std::string, uint64_t> constants_;
	std::unordered_set<std::string> ops_members_;
	bool kfuncs_are_broken_ = false;
};

}  // namespace punctual
