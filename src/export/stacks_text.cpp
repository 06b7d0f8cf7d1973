// SPDX-License-Identifier: GPL-2.0-only
#include "export/stacks_text.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "export/harmless.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

// Calls `take(stack of node numbers, outermost first, weight)` for each stack on which samples ended.
template <typename Take>
void for_each_stack(const StackTree& tree, Take take)
{
	struct Place {
		u32 node;
		size_t depth;
	};
	std::vector<Place> open{{0, 0}};
	std::vector<u32> stack;
	while (!open.empty()) {
		const Place at = open.back();
		open.pop_back();
		stack.resize(at.depth);
		if (at.node != 0)
			stack.back() = at.node;
		const StackNode& node = tree.node(at.node);
		if (node.self > 0)
			take(std::as_const(stack), node.self);
		for (const u32 child : node.children)
			open.push_back({child, at.depth + 1});
	}
}

}  // namespace

std::string folded_stacks_text(const StackTree& stacks)
{
	std::string out;
	for_each_stack(stacks, [&](const std::vector<u32>& stack, u64 weight) {
		for (size_t i = 0; i < stack.size(); i++)
			out += (i ? ";" : "") + harmless(stacks.name(stacks.node(stack[i])), "; ");
		out += fmt::format("{} {}\n", stack.empty() ? "(none)" : "", weight);
	});
	return out;
}

std::string speedscope_json(const StackTree& stacks, std::string_view name, StackUnit unit)
{
	Json frames = Json::array();
	for (size_t i = 1; i < stacks.names().size(); i++)
		frames.push_back({{"name", harmless(stacks.names()[i], "")}});
	Json samples = Json::array(), weights = Json::array();
	u64 end = 0;
	for_each_stack(stacks, [&](const std::vector<u32>& stack, u64 weight) {
		Json sample = Json::array();
		for (const u32 node : stack)
			sample.push_back(stacks.node(node).name - 1);
		samples.push_back(std::move(sample));
		weights.push_back(weight);
		end += weight;
	});
	const Json profile = {{"type", "sampled"},
			      {"name", harmless(name, "")},
			      {"unit", unit == StackUnit::nanoseconds ? "nanoseconds" : "none"},
			      {"startValue", 0},
			      {"endValue", end},
			      {"samples", std::move(samples)},
			      {"weights", std::move(weights)}};
	return Json{{"$schema", "https://www.speedscope.app/file-format-schema.json"},
		    {"exporter", "punctual"},
		    {"name", harmless(name, "")},
		    {"activeProfileIndex", 0},
		    {"shared", {{"frames", std::move(frames)}}},
		    {"profiles", Json::array({profile})}}
		   .dump() +
	       "\n";
}

}  // namespace punctual
