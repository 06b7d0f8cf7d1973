// SPDX-License-Identifier: GPL-2.0-only
// Between facts and screen: each view of `punctual top` as a table of rows, filtered and sorted. Used by top_*.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "view/canvas.h"
#include "view/top_facts.h"
#include "view/top_state.h"

namespace punctual {

struct PanelColumn {
	std::string title;  // with the unit
	int width = 0;      // columns of the terminal; of the first: at least
};

struct PanelCell {
	std::string text;
	double value = 0;  // to sort by
	Ink ink = Ink::plain;
};

struct PanelRow {
	std::string name;                  // in the first column: any text
	std::string mark = {};             // ASCII, after the name, never cut off
	double number = 0;                 // by which the first column is sorted; equal ones by name
	std::vector<PanelCell> cells;      // of the columns after the first
	std::string detail;                // about the row of the cursor
	std::optional<u32> cache = {};     // a row that stands for a cache
	std::vector<PanelRow> parts = {};  // the CPUs of an open cache
	bool is_part = false;
};

struct Panel {
	std::vector<PanelColumn> columns;
	std::vector<PanelRow> rows;
	int nr_pinned = 1;       // columns that never scroll away sideways
	std::string empty_text;  // said when there is no row
};

// The rows of the state's view, filtered, sorted and flat: parts follow their whole.
Panel panel_of(const TopState& state, const TopFacts& facts);

// Rows in no order, and not filtered.
Panel cpu_panel(const TopState& state, const TopFacts& facts);
Panel cgroup_panel(const TopFacts& facts);
Panel task_panel(const TopFacts& facts);
Panel culprit_panel(const TopFacts& facts);

// Cells that several panels have.
PanelCell rate_cell(u64 nr, u64 window_ns);  // a second
PanelCell wait_cell(u64 wait_ns);            // us
PanelCell quantile_cell(const WaitCounts& waits, double q);

}  // namespace punctual
