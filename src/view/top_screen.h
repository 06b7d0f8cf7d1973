// SPDX-License-Identifier: GPL-2.0-only
// `punctual top` as a function: what the user chose, what was measured, and the size of the terminal, to a screen.
#pragma once

#include "view/canvas.h"
#include "view/top_facts.h"
#include "view/top_state.h"

namespace punctual {

constexpr int kTopWidthMin = 80;
constexpr int kTopHeightMin = 24;
constexpr int kTopWidthMax = 300;  // a larger terminal stays blank beyond
constexpr int kTopHeightMax = 100;

// The state with its cursors held to what there is, and with `seen` filled in for next_state(). Between two keys
// the facts change: call it before each of top_screen() and next_state().
TopState fitted(TopState state, const TopFacts& facts, int width, int height);

// REQUIRES a fitted state. On a terminal that is too small: a screen that says so.
Canvas top_screen(const TopState& state, const TopFacts& facts, int width, int height);

}  // namespace punctual
