// SPDX-License-Identifier: GPL-2.0-only
#include "view/top_screen.h"

#include <algorithm>

#include <fmt/format.h>

#include "view/top_parts.h"

namespace punctual {
namespace {

int bounded_width(int width)
{
	return std::min(width, kTopWidthMax);
}

int page_rows(int height)
{
	return std::max(std::min(height, kTopHeightMax) - kTopHeadRows - 1 - kTopFootRows, 1);
}

void fit_rows(TopPlace* place, int nr_rows, int nr_shown)
{
	place->cursor = std::clamp(place->cursor, 0, std::max(nr_rows - 1, 0));
	place->first_row = std::clamp(place->first_row, place->cursor - nr_shown + 1, place->cursor);
	place->first_row = std::clamp(place->first_row, 0, std::max(nr_rows - nr_shown, 0));
}

// Not further to the right than until the last column is seen.
void fit_columns(TopPlace* place, const Panel& panel, int width)
{
	const int nr_moving = static_cast<int>(panel.columns.size()) - panel.nr_pinned;
	place->first_column = std::clamp(place->first_column, 0, std::max(nr_moving - 1, 0));
	while (place->first_column > 0 && !columns_that_fit(panel, place->first_column - 1, width).is_cut)
		place->first_column--;
}

}  // namespace

TopState fitted(TopState state, const TopFacts& facts, int width, int height)
{
	const Panel panel = panel_of(state, facts);
	TopPlace& place = state.place();
	const int nr_rows = static_cast<int>(panel.rows.size());
	fit_rows(&place, nr_rows, page_rows(height));
	fit_columns(&place, panel, bounded_width(width));
	place.sort = std::min<u32>(place.sort, static_cast<u32>(panel.columns.size()) - 1);
	state.seen = {nr_rows, page_rows(height), static_cast<u32>(panel.columns.size())};
	if (nr_rows > 0)
		state.seen.cache = panel.rows[place.cursor].cache;
	return state;
}

Canvas top_screen(const TopState& state, const TopFacts& facts, int width, int height)
{
	Canvas canvas(bounded_width(width), std::min(height, kTopHeightMax));
	if (width < kTopWidthMin || height < kTopHeightMin) {
		canvas.put(0, 0, fmt::format("punctual top needs {} x {};", kTopWidthMin, kTopHeightMin));
		canvas.put(0, 1, fmt::format("this terminal has {} x {}.", width, height));
		canvas.put(0, 2, "Enlarge it, or q to quit.");
		return canvas;
	}
	if (state.shows_help) {
		draw_help(&canvas);
		return canvas;
	}
	const Panel panel = panel_of(state, facts);
	draw_head(&canvas, state, facts);
	draw_panel(&canvas, state, panel);
	draw_foot(&canvas, state, panel);
	return canvas;
}

}  // namespace punctual
