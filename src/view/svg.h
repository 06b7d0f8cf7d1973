// SPDX-License-Identifier: GPL-2.0-only
// Drawing for the figures of view, used by nothing else: an SVG under construction, a logarithmic
// axis of times, and the spreading of labels. Coordinates are pixels from the top left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "view/markup.h"

namespace punctual {

class SvgCanvas {
 public:
	SvgCanvas(double width, double height, std::string_view title, std::string_view description);

	void line(double x1, double y1, double x2, double y2, std::string_view classes);
	void rect(double x, double y, double width, double height, std::string_view classes);
	void circle(double x, double y, double radius, std::string_view classes);
	void path(std::string_view commands, std::string_view classes);
	// Text escaped here. Classes "mid" and "end" set where x is; "turned" turns it to read upwards.
	void text(double x, double y, std::string_view classes, std::string_view text);

	// A box with a label that fits into it, and a detail that is shown at the given place while the pointer is on
	// the box or it has the keyboard's focus. Both texts are escaped here.
	struct Detail {
		double x, y;
		std::string_view text;
	};
	void box(double x, double y, double width, double height, std::string_view classes, std::string_view label,
		 const Detail& detail);

	Markup finish() &&;

 private:
	std::string svg_;
};

// A pixel with one decimal at most: short, and finer than any screen.
std::string pixel(double value);

// How wide a text is about, at the figures' font size; there is no font to ask.
double pixel_width(std::string_view text);

// Times from low to high, widened to whole 1-2-5 steps, on pixels from `bottom` up to `top`.
class TimeAxis {
 public:
	TimeAxis(uint64_t low_ns, uint64_t high_ns, double bottom, double top);
	double at(uint64_t ns) const;  // values off the axis lie on its ends
	double bottom() const { return bottom_; }
	double top() const { return top_; }

	// Grid lines, and their labels in us, from x = left to right.
	void draw(SvgCanvas& canvas, double left, double right) const;

 private:
	double low_, high_;  // log10 of ns
	double bottom_, top_;
};

// The dashed budget line with its name, and a tint over what is above it.
void draw_budget(SvgCanvas& canvas, const TimeAxis& axis, uint64_t budget_ns, double left, double right);

// Moves positions apart until neighbours in order are `gap` from each other, all within low..high as
// far as there is room. Keeps the order of the given positions; returns them in the given order.
std::vector<double> spread(const std::vector<double>& wanted, double gap, double low, double high);

}  // namespace punctual
