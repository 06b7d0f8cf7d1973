// SPDX-License-Identifier: GPL-2.0-only
// A table once, shown two ways: plain text for a terminal, markup for a page. The values are text
// already (view/number.h); both ways make them harmless themselves.
#pragma once

#include <string>
#include <vector>

#include "view/markup.h"

namespace punctual {

enum class Tone { plain, good, bad, faint };  // text shows none of them; no fact hangs on a tone alone

struct TableColumn {
	std::string title;    // with the unit: "p99 us"
	bool numeric = true;  // right-aligned
};

struct TableCell {
	std::string text;
	Tone tone = Tone::plain;
	int color = -1;  // the figures' colour of this row, shown as a dot; -1: none
};

struct TableRow {
	std::vector<TableCell> cells;
	bool strong = false;  // the row that the reader should see first
};

struct Table {
	std::vector<TableColumn> columns;
	std::vector<TableRow> rows;
};

// Lines of equal columns, two spaces apart, no trailing blanks, each ended by a newline.
std::string table_text(const Table& table);

Markup table_markup(const Table& table);

}  // namespace punctual
