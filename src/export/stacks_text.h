// SPDX-License-Identifier: GPL-2.0-only
// Stacks as text for other programs: folded, for tools that draw flame graphs, and as speedscope reads them
// (speedscope.app). Nothing leaves this machine by that: both are files.
#pragma once

#include <string>
#include <string_view>

#include "measure/stack_tree.h"

namespace punctual {

// "outermost;...;innermost weight" a line.
std::string folded_stacks_text(const StackTree& stacks);

enum class StackUnit { nanoseconds, cycles };

// A profile of the type "sampled" in the file format of speedscope.
std::string speedscope_json(const StackTree& stacks, std::string_view name, StackUnit unit);

}  // namespace punctual
