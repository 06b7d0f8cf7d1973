// SPDX-License-Identifier: GPL-2.0-only
#include "measure/stack_tree.h"

#include <algorithm>
#include <tuple>

namespace punctual {

StackTree::StackTree(size_t nodes_max) : nodes_max_(nodes_max), nodes_(1), names_{""} {}

u32 StackTree::name_number(std::string_view name)
{
	const auto [found, is_new] = name_numbers_.try_emplace(std::string(name), static_cast<u32>(names_.size()));
	if (is_new)
		names_.emplace_back(name);
	return found->second;
}

void StackTree::add(std::span<const StackFrame> frames, u64 weight)
{
	u32 at = 0;
	nodes_[0].total += weight;
	for (const StackFrame& frame : frames) {
		const u32 name = name_number(frame.name);
		const u64 edge = static_cast<u64>(at) << 32 | name;
		auto found = edges_.find(edge);
		if (found == edges_.end()) {
			if (nodes_.size() >= nodes_max_) {
				cut_ += weight;
				break;
			}
			const auto number = static_cast<u32>(nodes_.size());
			nodes_.push_back({.name = name, .part = frame.part, .self = 0, .total = 0, .children = {}});
			nodes_[at].children.push_back(number);
			found = edges_.emplace(edge, number).first;
		}
		at = found->second;
		nodes_[at].total += weight;
	}
	nodes_[at].self += weight;
}

std::vector<HotFunction> hot_functions(const StackTree& tree, size_t nr_max)
{
	std::vector<HotFunction> functions(tree.names().size());
	for (u32 i = 1; i < tree.size(); i++) {
		HotFunction& function = functions[tree.node(i).name];
		function.name = tree.name(tree.node(i));
		function.self += tree.node(i).self;
	}
	std::erase_if(functions, [](const HotFunction& function) { return function.self == 0; });
	std::ranges::sort(functions, [](const HotFunction& a, const HotFunction& b) {
		return std::tie(b.self, a.name) < std::tie(a.self, b.name);
	});
	if (functions.size() > nr_max)
		functions.resize(nr_max);
	return functions;
}

}  // namespace punctual
