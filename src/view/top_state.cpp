// SPDX-License-Identifier: GPL-2.0-only
#include "view/top_state.h"

#include <algorithm>
#include <iterator>

namespace punctual {
namespace {

constexpr u64 kMs = 1'000'000;
constexpr u64 kIntervals_ns[] = {100 * kMs,  200 * kMs,   500 * kMs,   1000 * kMs, 2000 * kMs,
				 5000 * kMs, 10000 * kMs, 30000 * kMs, 60000 * kMs};

u64 longer(u64 interval_ns)
{
	const auto* next = std::ranges::upper_bound(kIntervals_ns, interval_ns);
	return next == std::end(kIntervals_ns) ? kIntervals_ns[std::size(kIntervals_ns) - 1] : *next;
}

u64 shorter(u64 interval_ns)
{
	const auto* next = std::ranges::lower_bound(kIntervals_ns, interval_ns);
	return next == std::begin(kIntervals_ns) ? kIntervals_ns[0] : next[-1];
}

void append_utf8(char32_t code, std::string* text)
{
	auto tail = [&](int shift) { *text += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
	if (code < 0x80) {
		*text += static_cast<char>(code);
	} else if (code < 0x800) {
		*text += static_cast<char>(0xc0 | code >> 6);
		tail(0);
	} else if (code < 0x10000) {
		*text += static_cast<char>(0xe0 | code >> 12);
		tail(6);
		tail(0);
	} else {
		*text += static_cast<char>(0xf0 | code >> 18);
		tail(12);
		tail(6);
		tail(0);
	}
}

void remove_last_character(std::string* text)
{
	while (!text->empty() && (text->back() & 0xc0) == 0x80)
		text->pop_back();
	if (!text->empty())
		text->pop_back();
}

// Other rows are shown from here on, so the cursor starts at the first of them.
void to_first_row(TopState* state)
{
	for (TopPlace& place : state->places)
		place.cursor = place.first_row = 0;
}

void type(TopState* state, Key key)
{
	if (key.name == Key::Name::enter)
		state->is_typing = false;
	if (key.name == Key::Name::escape) {
		state->is_typing = false;
		state->filter.clear();
	}
	if (key.name == Key::Name::backspace)
		remove_last_character(&state->filter);
	if (key.name == Key::Name::character && key.character >= ' ' && key.character <= 0x10ffff &&
	    state->filter.size() + 4 <= TopState::kFilterBytesMax)
		append_utf8(key.character, &state->filter);
	to_first_row(state);
}

void show(TopState* state, TopView view)
{
	state->view = view;
	state->shows_help = false;
}

void turn_view(TopState* state, u32 by)
{
	show(state, static_cast<TopView>((static_cast<u32>(state->view) + by) % kTopViews));
}

void move_rows(TopState* state, int by)
{
	TopPlace& place = state->place();
	place.cursor = std::clamp(place.cursor + by, 0, std::max(state->seen.nr_rows - 1, 0));
}

// On a cache: its CPUs are shown or not. Elsewhere: columns that do not fit on the screen.
void move_sideways(TopState* state, int by)
{
	if (!state->seen.cache)
		state->place().first_column = std::max(state->place().first_column + by, 0);
	else if (by > 0)
		state->open_caches.insert(*state->seen.cache);
	else
		state->open_caches.erase(*state->seen.cache);
}

void open_or_close(TopState* state)
{
	if (state->seen.cache)
		move_sideways(state, state->open_caches.contains(*state->seen.cache) ? -1 : 1);
}

// True when the key was one of these.
bool moved(TopState* state, Key key)
{
	const int page = std::max(state->seen.page_rows, 1);
	switch (key.name) {
	case Key::Name::up:
		move_rows(state, -1);
		return true;
	case Key::Name::down:
		move_rows(state, 1);
		return true;
	case Key::Name::page_up:
		move_rows(state, -page);
		return true;
	case Key::Name::page_down:
		move_rows(state, page);
		return true;
	case Key::Name::home:
		move_rows(state, -state->seen.nr_rows);
		return true;
	case Key::Name::end:
		move_rows(state, state->seen.nr_rows);
		return true;
	case Key::Name::left:
		move_sideways(state, -1);
		return true;
	case Key::Name::right:
		move_sideways(state, 1);
		return true;
	case Key::Name::enter:
		open_or_close(state);
		return true;
	default:
		return false;
	}
}

Key as_arrow(Key key)
{
	if (key.name != Key::Name::character)
		return key;
	switch (key.character) {
	case 'k':
		return {Key::Name::up};
	case 'j':
		return {Key::Name::down};
	case 'h':
		return {Key::Name::left};
	case 'l':
		return {Key::Name::right};
	default:
		return key;
	}
}

void choose_view(TopState* state, char32_t character)
{
	switch (character) {
	case 'u':
		return show(state, TopView::cpus);
	case 'c':
		return show(state, TopView::cgroups);
	case 't':
		return show(state, TopView::tasks);
	case 'm':
		return show(state, TopView::culprits);
	default:
		return;
	}
}

void sort_by_next(TopState* state)
{
	TopPlace& place = state->place();
	place.sort = (place.sort + 1) % std::max(state->seen.nr_columns, 1U);
	place.is_reversed = false;
}

void obey(TopState* state, char32_t character)
{
	switch (character) {
	case 'q':
		state->quit = true;
		return;
	case '?':
		state->shows_help = true;
		return;
	case '/':
		state->is_typing = true;
		return;
	case 's':
		return sort_by_next(state);
	case 'S':
		state->place().is_reversed = !state->place().is_reversed;
		return;
	case 'f':
		state->is_frozen = !state->is_frozen;
		return;
	case 'i':
		state->since_reset = !state->since_reset;
		return;
	case 'r':
		state->nr_resets++;
		state->since_reset = true;
		state->is_frozen = false;
		return;
	case 'w':
		state->nr_writes++;
		return;
	case '+':
		state->interval_ns = longer(state->interval_ns);
		return;
	case '-':
		state->interval_ns = shorter(state->interval_ns);
		return;
	default:
		return choose_view(state, character);
	}
}

}  // namespace

TopState next_state(TopState state, Key key)
{
	state.message.clear();
	if (state.is_typing) {
		type(&state, key);
		return state;
	}
	if (state.shows_help && !(key == Key{Key::Name::character, 'q'})) {
		state.shows_help = false;  // any key closes it, and does nothing else
		return state;
	}
	if (key.name == Key::Name::escape)
		state.quit = true;
	else if (key.name == Key::Name::tab)
		turn_view(&state, 1);
	else if (key.name == Key::Name::back_tab)
		turn_view(&state, kTopViews - 1);
	else if (!moved(&state, as_arrow(key)) && key.name == Key::Name::character)
		obey(&state, key.character);
	return state;
}

}  // namespace punctual
