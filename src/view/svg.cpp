// SPDX-License-Identifier: GPL-2.0-only
#include "view/svg.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

// 10^k times 1, 2 or 5, as an index: 0 -> 1, 1 -> 2, 2 -> 5, 3 -> 10 ns ...
double step_value(int index)
{
	constexpr double kSteps[] = {1, 2, 5};
	return kSteps[index % 3] * std::pow(10, index / 3);
}

constexpr int kStepLast = 59;  // 5e19 ns is beyond uint64_t

int step_at_or_below(double ns)
{
	int index = kStepLast;
	while (index > 0 && step_value(index) > ns * (1 + 1e-9))
		--index;
	return index;
}

int step_at_or_above(double ns)
{
	int index = 0;
	while (index < kStepLast && step_value(index) < ns * (1 - 1e-9))
		++index;
	return index;
}

std::string axis_label(double ns)
{
	return ns >= 1000 ? count_text(static_cast<uint64_t>(std::llround(ns / 1000))) : fmt::format("{:g}", ns / 1000);
}

}  // namespace

SvgCanvas::SvgCanvas(double width, double height, std::string_view title, std::string_view description)
    : svg_(fmt::format("<svg class=\"fig\" role=\"img\" viewBox=\"0 0 {} {}\">\n"
		       "<title>{}</title>\n<desc>{}</desc>\n",
		       pixel(width), pixel(height), escape_markup(title), escape_markup(description)))
{}

void SvgCanvas::line(double x1, double y1, double x2, double y2, std::string_view classes)
{
	svg_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", classes, pixel(x1),
			    pixel(y1), pixel(x2), pixel(y2));
}

void SvgCanvas::rect(double x, double y, double width, double height, std::string_view classes)
{
	svg_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", classes, pixel(x),
			    pixel(y), pixel(std::max(width, 0.0)), pixel(std::max(height, 0.0)));
}

void SvgCanvas::circle(double x, double y, double radius, std::string_view classes)
{
	svg_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", classes, pixel(x), pixel(y),
			    pixel(radius));
}

void SvgCanvas::path(std::string_view commands, std::string_view classes)
{
	svg_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", classes, commands);
}

void SvgCanvas::text(double x, double y, std::string_view classes, std::string_view text)
{
	bool turned = classes.find("turned") != std::string_view::npos;
	std::string turn = turned ? fmt::format(" transform=\"rotate(-90 {} {})\"", pixel(x), pixel(y)) : "";
	svg_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\"{}>{}</text>\n", classes, pixel(x), pixel(y), turn,
			    escape_markup(text));
}

void SvgCanvas::box(double x, double y, double width, double height, std::string_view classes, std::string_view label,
		    const Detail& detail)
{
	const std::string text = escape_markup(detail.text);
	svg_ += fmt::format("<g class=\"box\" tabindex=\"0\"><title>{}</title>", text);
	rect(x, y, width, height, classes);
	if (!label.empty())
		this->text(x + 3, y + height - 4.5, "in", label);
	svg_ += fmt::format("<text class=\"detail\" x=\"{}\" y=\"{}\">{}</text></g>\n", pixel(detail.x),
			    pixel(detail.y), text);
}

Markup SvgCanvas::finish() &&
{
	return {std::move(svg_) + "</svg>\n"};
}

std::string pixel(double value)
{
	if (!std::isfinite(value))
		return "0";
	std::string text = fmt::format("{:.1f}", value);
	if (text.ends_with(".0"))
		text.resize(text.size() - 2);
	return text == "-0" ? "0" : text;
}

double pixel_width(std::string_view text)
{
	return 7.2 * static_cast<double>(text_width(clean_text(text)));
}

TimeAxis::TimeAxis(uint64_t low_ns, uint64_t high_ns, double bottom, double top) : bottom_(bottom), top_(top)
{
	int low = step_at_or_below(static_cast<double>(low_ns));
	int high = std::max(step_at_or_above(static_cast<double>(high_ns)), low + 3);  // at least a decade
	low_ = std::log10(step_value(low));
	high_ = std::log10(step_value(high));
}

double TimeAxis::at(uint64_t ns) const
{
	double part = (std::log10(std::max(static_cast<double>(ns), 1.0)) - low_) / (high_ - low_);
	return bottom_ + std::clamp(part, 0.0, 1.0) * (top_ - bottom_);
}

void TimeAxis::draw(SvgCanvas& canvas, double left, double right) const
{
	bool crowded = high_ - low_ > 2.5;  // more than this many decades: label the powers of ten only
	for (int index = step_at_or_below(std::pow(10, low_)); index <= step_at_or_below(std::pow(10, high_));
	     ++index) {
		double ns = step_value(index);
		bool power_of_ten = index % 3 == 0;
		double y = bottom_ + (std::log10(ns) - low_) / (high_ - low_) * (top_ - bottom_);
		canvas.line(left, y, right, y, power_of_ten ? "grid" : "grid minor");
		if (power_of_ten || !crowded)
			canvas.text(left - 8, y + 4, "tick end", axis_label(ns));
	}
}

void draw_budget(SvgCanvas& canvas, const TimeAxis& axis, uint64_t budget_ns, double left, double right)
{
	double y = axis.at(budget_ns);
	canvas.rect(left, axis.top(), right - left, y - axis.top(), "over");
	canvas.line(left, y, right, y, "budget");
	canvas.text(left + 6, y - 5, "budget halo", "budget " + budget_text(budget_ns));
}

std::vector<double> spread(const std::vector<double>& wanted, double gap, double low, double high)
{
	if (wanted.empty())
		return {};
	std::vector<size_t> order(wanted.size());
	std::iota(order.begin(), order.end(), 0);
	std::sort(order.begin(), order.end(),
		  [&](size_t a, size_t b) { return wanted[a] != wanted[b] ? wanted[a] < wanted[b] : a < b; });
	gap = std::min(gap, (high - low) / static_cast<double>(std::max<size_t>(wanted.size() - 1, 1)));

	std::vector<double> placed(wanted.size());
	double least = low;
	for (size_t index : order) {  // downwards: nothing above its wish, nor too near its neighbour
		placed[index] = std::max(wanted[index], least);
		least = placed[index] + gap;
	}
	double most = high;
	for (auto index = order.rbegin(); index != order.rend(); ++index) {  // and back up, off the end
		placed[*index] = std::min(placed[*index], most);
		most = placed[*index] - gap;
	}
	return placed;
}

}  // namespace punctual
