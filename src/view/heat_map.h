// SPDX-License-Identifier: GPL-2.0-only
// Waits over time: how many of which length came when. A rare long wait shows as well as a thousand short ones,
// because a shade stands for ten, not for one.
#pragma once

#include <string>
#include <vector>

#include "measure/waits.h"
#include "view/markup.h"

namespace punctual {

// A moment with a name: a vertical line.
struct HeatMapMark {
	u64 offset_ns = 0;  // from the start of the map
	std::string text;
};

struct HeatMap {
	std::string title;
	std::vector<WaitCounts> columns;  // from left to right; at most a few hundred
	u64 column_ns = 1;
	u64 length_ns = 0;  // of all; the last column may end later
	std::vector<HeatMapMark> marks;
	int color = 1;
};

// Times (logarithmic, us) upwards, seconds to the right; the CSS is in figure_style().
Markup heat_map(const HeatMap& map);

}  // namespace punctual
