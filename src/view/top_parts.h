// SPDX-License-Identifier: GPL-2.0-only
// The parts of the screen of `punctual top` that top_screen() puts together.
#pragma once

#include "view/top_panel.h"

namespace punctual {

constexpr int kTopHeadRows = 5;  // tabs, scheduler, waits, open waits, losses
constexpr int kTopFootRows = 2;  // about the row of the cursor; keys

// Which columns of a panel fit: the pinned ones, then those from the state's first_column on.
struct TopColumns {
	std::vector<size_t> shown;
	int first_width = 0;  // of the first column: whatever the others leave
	bool is_cut = false;  // there are more to the right
};
TopColumns columns_that_fit(const Panel& panel, int first_column, int width);

void draw_head(Canvas* canvas, const TopState& state, const TopFacts& facts);
void draw_panel(Canvas* canvas, const TopState& state, const Panel& panel);  // title, rows
void draw_foot(Canvas* canvas, const TopState& state, const Panel& panel);
void draw_help(Canvas* canvas);

}  // namespace punctual
