// SPDX-License-Identifier: GPL-2.0-only
// Stacks added up: a tree in which each node is a function called from that of its parent. Bounded: when it is full,
// what is new is counted where the tree ends.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "abi/types.h"
#include "measure/scheduler_part.h"

namespace punctual {

struct StackFrame {
	std::string_view name;
	SchedulerPart part = SchedulerPart::none;
};

struct StackNode {
	u32 name = 0;  // StackTree::name
	SchedulerPart part = SchedulerPart::none;
	u64 self = 0;   // weight of samples that ended here
	u64 total = 0;  // and of those that went on
	std::vector<u32> children;
};

class StackTree {
 public:
	static constexpr size_t kNodesMax = 1 << 18;

	explicit StackTree(size_t nodes_max = kNodesMax);

	// Frames from the outermost in. The same function at the same place has the same part.
	void add(std::span<const StackFrame> frames, u64 weight);

	const StackNode& root() const { return nodes_[0]; }  // has no name
	const StackNode& node(u32 index) const { return nodes_[index]; }
	const std::string& name(const StackNode& node) const { return names_[node.name]; }
	const std::vector<std::string>& names() const { return names_; }
	size_t size() const { return nodes_.size(); }
	u64 total() const { return nodes_[0].total; }
	u64 cut() const { return cut_; }  // weight of samples whose stack is shortened, because the tree was full

 private:
	u32 name_number(std::string_view name);

	size_t nodes_max_;
	u64 cut_ = 0;
	std::vector<StackNode> nodes_;
	std::vector<std::string> names_;
	std::unordered_map<std::string, u32> name_numbers_;
	std::unordered_map<u64, u32> edges_;  // number of the parent, and of the name -> node
};

// A function in all places where it stands, with the weight of samples that ended in it.
struct HotFunction {
	std::string name;
	u64 self = 0;
};

// The heaviest first, at most `nr_max`; equal ones by name.
std::vector<HotFunction> hot_functions(const StackTree& tree, size_t nr_max);

}  // namespace punctual
