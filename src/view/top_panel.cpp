// SPDX-License-Identifier: GPL-2.0-only
#include "view/top_panel.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <tuple>
#include <utility>

#include "view/number.h"
#include "view/text.h"
#include "view/top_words.h"

namespace punctual {
namespace {

Panel rows_of(const TopState& state, const TopFacts& facts)
{
	switch (state.view) {
	case TopView::cpus:
		return cpu_panel(state, facts);
	case TopView::cgroups:
		return cgroup_panel(facts);
	case TopView::tasks:
		return task_panel(facts);
	case TopView::culprits:
		return culprit_panel(facts);
	}
	return {};
}

// Only ASCII letters have two cases here: a name is bytes, whatever they mean.
bool contains(std::string_view text, std::string_view part)
{
	auto same = [](char a, char b) {
		return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
	};
	return !std::ranges::search(text, part, same).empty() || part.empty();
}

// Names ascend; values descend, as the worst should come first; equal ones stand by name.
bool comes_before(const PanelRow& a, const PanelRow& b, u32 column)
{
	if (column > 0 && column <= a.cells.size() && column <= b.cells.size()) {
		const double a_value = a.cells[column - 1].value;
		const double b_value = b.cells[column - 1].value;
		if (a_value != b_value)
			return a_value > b_value;
	}
	// The detail has what is left to tell two tasks of one name apart: no row may jump without a reason.
	return std::tie(a.number, a.name, a.detail) < std::tie(b.number, b.name, b.detail);
}

void sort_rows(std::vector<PanelRow>* rows, const TopPlace& place)
{
	std::ranges::sort(*rows, [&](const PanelRow& a, const PanelRow& b) {
		return place.is_reversed ? comes_before(b, a, place.sort) : comes_before(a, b, place.sort);
	});
	for (PanelRow& row : *rows)
		sort_rows(&row.parts, place);
}

std::vector<PanelRow> flattened(std::vector<PanelRow> rows)
{
	std::vector<PanelRow> flat;
	for (PanelRow& row : rows) {
		std::vector<PanelRow> parts = std::exchange(row.parts, {});
		flat.push_back(std::move(row));
		std::ranges::move(parts, std::back_inserter(flat));
	}
	return flat;
}

}  // namespace

Panel panel_of(const TopState& state, const TopFacts& facts)
{
	Panel panel = rows_of(state, facts);
	// Against the name as it is and as it is shown: the filter can hold nothing but what one can type.
	std::erase_if(panel.rows, [&](const PanelRow& row) {
		return !contains(row.name, state.filter) && !contains(clean_text(row.name), state.filter);
	});
	sort_rows(&panel.rows, state.place());
	panel.rows = flattened(std::move(panel.rows));
	return panel;
}

PanelCell rate_cell(u64 nr, u64 window_ns)
{
	return {rate_text(nr, window_ns), static_cast<double>(nr)};
}

PanelCell wait_cell(u64 wait_ns)
{
	return {wait_text(wait_ns), static_cast<double>(wait_ns)};
}

PanelCell quantile_cell(const WaitCounts& waits, double q)
{
	return waits.count() > 0 ? wait_cell(waits.quantile_ns(q)) : PanelCell{"-", 0, Ink::faint};
}

}  // namespace punctual
