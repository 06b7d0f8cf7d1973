// SPDX-License-Identifier: GPL-2.0-only
// Finished HTML or SVG, as a type of its own: a plain string is always escaped when it is put on a
// page, a Markup never is. Only functions of view make one.
#pragma once

#include <string>

namespace punctual {

struct Markup {
	std::string html;
};

// Colours of series, numbered from 0: the same arm has the same colour in every figure and table.
// Chosen to differ for the colour-blind too; number 8 is number 0 again, so lines also differ in dashes.
constexpr int kColors = 8;

}  // namespace punctual
