// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "view/svg.h"
#include "view/figure.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr double kWidth = 470, kRowHeight = 28, kBarHeight = 16, kTop = 8, kLabelRight = 150, kRight = 395,
		 kValueRight = 462;
constexpr size_t kNameMax = 19;

double drawable(double value)
{
	return std::isfinite(value) ? std::max(value, 0.0) : 0;
}

}  // namespace

Markup bar_chart(const BarChart& chart)
{
	double most = chart.reference;
	std::string description;
	for (const Bar& bar : chart.bars) {
		most = std::max(most, drawable(bar.value));
		description += fmt::format("{}: {}. ", bar.name, bar.text);
	}
	double scale = most > 0 ? (kRight - kLabelRight) / most : 0;
	double bottom = kTop + kRowHeight * static_cast<double>(chart.bars.size());
	SvgCanvas canvas(kWidth, bottom + 8, chart.title, description);
	canvas.line(kLabelRight, kTop, kLabelRight, bottom, "axis");
	if (chart.reference > 0) {
		double x = kLabelRight + chart.reference * scale;
		canvas.line(x, kTop, x, bottom, "reference");
	}
	double y = kTop + (kRowHeight - kBarHeight) / 2;
	for (const Bar& bar : chart.bars) {
		double width = drawable(bar.value) * scale;
		canvas.text(kLabelRight - 10, y + 12.5, bar.strong ? "name strong end" : "name end",
			    shortened(clean_text(bar.name), kNameMax));
		if (width > 0)  // at least a pixel: little is not nothing
			canvas.rect(kLabelRight, y, std::max(width, 1.0), kBarHeight,
				    fmt::format("bar f{}", bar.color % kColors));
		canvas.text(kValueRight, y + 12.5, bar.strong ? "strong end" : "end", bar.text);
		y += kRowHeight;
	}
	return std::move(canvas).finish();
}

}  // namespace punctual
