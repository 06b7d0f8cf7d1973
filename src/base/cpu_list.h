// SPDX-License-Identifier: GPL-2.0-only
// Sets of CPUs in the kernel's list form: "0-3,8", with strides "0-15:2/4", or "all".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

// A set of CPU numbers below kCpusMax, kept sorted and without repeats.
class CpuList {
 public:
	static constexpr int kCpusMax = 1024;

	CpuList() = default;
	// "all" gives an error here: only possible() and online() know what exists.
	static Result<CpuList> parse(std::string_view text);
	static Result<CpuList> possible();
	static Result<CpuList> online();

	const std::vector<int>& cpus() const { return cpus_; }
	bool contains(int cpu) const;
	bool empty() const { return cpus_.empty(); }
	size_t size() const { return cpus_.size(); }
	void add(int cpu);
	std::string text() const;  // canonical list form

 private:
	std::vector<int> cpus_;
};

// What `--cpus TEXT` means on this machine: parses ("all" too) and refuses CPUs that are not possible.
Result<CpuList> cpus_of_this_machine(std::string_view text);

}  // namespace punctual
