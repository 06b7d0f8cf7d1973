// SPDX-License-Identifier: GPL-2.0-only
// What the user of `punctual top` chose, and what a key makes of it. Pure: the command reads the keys and does
// what the state asks for (quit, nr_resets, nr_writes, interval_ns).
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "measure/waits.h"  // u32, u64

namespace punctual {

enum class TopView : u8 { cpus, cgroups, tasks, culprits };
constexpr u32 kTopViews = 4;
constexpr std::array<std::string_view, kTopViews> kTopViewNames = {"CPUs", "cgroups", "tasks", "culprits"};

struct Key {
	enum class Name : u8 {
		character,
		up,
		down,
		left,
		right,
		page_up,
		page_down,
		home,
		end,
		tab,
		back_tab,
		enter,
		escape,
		backspace,
	};
	Name name = Name::character;
	char32_t character = 0;  // of Name::character

	bool operator==(const Key&) const = default;
};

// Where one looks in a view, and how it is sorted.
struct TopPlace {
	int cursor = 0;        // row
	int first_row = 0;     // the topmost on the screen
	int first_column = 0;  // the leftmost after those that always stay
	u32 sort = 0;          // column
	bool is_reversed = false;

	bool operator==(const TopPlace&) const = default;
};

// What was on the screen when the key was pressed: fitted() in view/top_screen.h fills it in.
struct TopExtent {
	int nr_rows = 0;
	int page_rows = 1;
	u32 nr_columns = 1;          // visible: those that one can sort by
	std::optional<u32> cache{};  // in the row of the cursor, when that is a cache's

	bool operator==(const TopExtent&) const = default;
};

struct TopState {
	static constexpr size_t kFilterBytesMax = 64;

	TopView view = TopView::cpus;
	// By view. At first CPUs stand in order, the others by what hurts: p99, the sum of waits.
	std::array<TopPlace, kTopViews> places = {{{}, {.sort = 3}, {.sort = 3}, {.sort = 1}}};
	std::set<u32> open_caches;  // whose CPUs are shown
	std::string filter;         // a part of a name, any case; "": all
	bool is_typing = false;     // keys go into the filter
	bool shows_help = false;
	bool is_frozen = false;
	bool since_reset = false;  // window: else the last interval
	bool quit = false;
	u64 interval_ns = 1'000'000'000;
	u32 nr_resets = 0;  // how often it was asked for
	u32 nr_writes = 0;
	std::string message;  // for the status line, until the next key
	TopExtent seen;

	TopPlace& place() { return places[static_cast<size_t>(view)]; }
	const TopPlace& place() const { return places[static_cast<size_t>(view)]; }
	bool operator==(const TopState&) const = default;
};

TopState next_state(TopState state, Key key);

}  // namespace punctual
