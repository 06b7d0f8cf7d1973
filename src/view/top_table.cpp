// SPDX-License-Identifier: GPL-2.0-only
// The table of `punctual top`: title, rows, the cursor, and what is shown of columns that do not fit.
#include <algorithm>

#include "view/number.h"
#include "view/text.h"
#include "view/top_parts.h"
#include "view/top_words.h"

namespace punctual {
namespace {

constexpr int kGap = 1;
constexpr int kFirstWidthMax = 60;  // so that figures stay near their names

Look look_of_row(bool is_cursor, Ink ink)
{
	return {ink, false, is_cursor};
}

void draw_title(Canvas* canvas, const TopState& state, const Panel& panel, const TopColumns& columns)
{
	const int y = kTopHeadRows;
	const TopPlace& place = state.place();
	canvas->tint(0, y, canvas->width(), {Ink::accent, true, false});
	int x = 0;
	for (const size_t column : columns.shown) {
		const bool is_sort = column == place.sort;
		const std::string mark = !is_sort ? "" : place.is_reversed == (column == 0) ? "v" : "^";
		const std::string title = panel.columns[column].title + mark;
		const Look look{Ink::accent, true, is_sort};
		if (column == 0) {
			canvas->put(0, y, title, look, columns.first_width);
			x = columns.first_width;
		} else {
			canvas->put_right(x + kGap, y, panel.columns[column].width, title, look);
			x += kGap + panel.columns[column].width;
		}
	}
	if (columns.is_cut)
		canvas->put(canvas->width() - 1, y, ">", {Ink::accent, true, true});
}

void draw_row(Canvas* canvas, int y, const Panel& panel, const PanelRow& row, const TopColumns& columns, bool is_cursor)
{
	const int indent = row.is_part ? 4 : 0;
	canvas->tint(0, y, canvas->width(), look_of_row(is_cursor, Ink::plain));
	const int name_width = columns.first_width - indent - static_cast<int>(row.mark.size());
	const int taken = canvas->put(indent, y, tail_of(row.name, name_width), look_of_row(is_cursor, Ink::plain));
	canvas->put(indent + taken, y, row.mark, look_of_row(is_cursor, Ink::faint));
	int x = columns.first_width;
	for (const size_t column : columns.shown) {
		if (column == 0)
			continue;
		const int width = panel.columns[column].width;
		if (column <= row.cells.size()) {
			const PanelCell& cell = row.cells[column - 1];
			const bool fits = static_cast<int>(text_width(cell.text)) <= width;
			// A number that is cut off is another number.
			canvas->put_right(x + kGap, y, width, fits ? cell.text : std::string(width, '#'),
					  look_of_row(is_cursor, cell.ink));
		}
		x += kGap + width;
	}
}

}  // namespace

TopColumns columns_that_fit(const Panel& panel, int first_column, int width)
{
	TopColumns columns;
	const int nr_columns = static_cast<int>(panel.columns.size());
	int used = panel.columns[0].width + 1;  // the last column of the terminal is for the mark
	for (int column = 0; column < nr_columns; column++) {
		if (column >= panel.nr_pinned && column < panel.nr_pinned + first_column)
			continue;
		const int more = column == 0 ? 0 : kGap + panel.columns[column].width;
		if (used + more > width) {
			columns.is_cut = true;
			break;
		}
		used += more;
		columns.shown.push_back(column);
	}
	columns.first_width = std::min(panel.columns[0].width + width - used, kFirstWidthMax);
	return columns;
}

void draw_panel(Canvas* canvas, const TopState& state, const Panel& panel)
{
	const TopPlace& place = state.place();
	const TopColumns columns = columns_that_fit(panel, place.first_column, canvas->width());
	draw_title(canvas, state, panel, columns);
	const int first_y = kTopHeadRows + 1;
	if (panel.rows.empty())
		canvas->put(0, first_y, state.filter.empty() ? panel.empty_text : "no row has the filter in its name",
			    {Ink::faint});
	for (int y = first_y; y < canvas->height() - kTopFootRows; y++) {
		const size_t row = place.first_row + static_cast<size_t>(y - first_y);
		if (row < panel.rows.size())
			draw_row(canvas, y, panel, panel.rows[row], columns, static_cast<int>(row) == place.cursor);
	}
}

}  // namespace punctual
