// SPDX-License-Identifier: GPL-2.0-only
#include "sim/script_load.h"

#include <algorithm>
#include <array>

namespace punctual::sim {
namespace {

// sched_prio_to_weight of kernel/sched/core.c, from nice -20 on; nice 0 is 1024 there and 100 here.
constexpr std::array<u32, 40> kWeights = {88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
					  9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
					  1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,
					  110,   87,    70,    56,    45,    36,    29,    23,    18,    15};

}  // namespace

u32 weight_of_nice(int nice)
{
	return std::max(1U, (kWeights[static_cast<size_t>(nice - kNiceMin)] * 100 + 512) / 1024);
}

u32 ScriptLoad::row_of(const std::string& name)
{
	const auto found = std::ranges::find(rows, name);

	if (found != rows.end())
		return static_cast<u32>(found - rows.begin());
	if (rows.size() == kScriptRowsMax)
		return kScriptRowsMax - 1;
	rows.push_back(rows.size() == kScriptRowsMax - 1 ? "(others)" : name);
	is_urgent.push_back(false);
	return static_cast<u32>(rows.size() - 1);
}

}  // namespace punctual::sim
