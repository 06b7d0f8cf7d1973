// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "view/svg.h"
#include "view/figure.h"
#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr double kWidth = 900, kLeft = 66, kRight = 690, kTop = 16;
constexpr double kLabelGap = 33;                // two lines of text
constexpr size_t kNameMax = 24, kNoteMax = 30;  // columns that fit to the right of kRight
constexpr u64 kBeyondMin = 100;                 // samples beyond a quantile that make it firm

// A stretch of percentiles with one time. Positions on the tail axis are -log10(1 - p): 1 is p90, 2 is p99.
struct Step {
	double from, to;
	u64 time_ns;
};

std::vector<Step> steps_of(const Histogram& times)
{
	std::vector<Step> steps;
	double count = static_cast<double>(times.count());
	double end = std::log10(count);  // where the largest sample stands alone
	double from = 0;
	u64 seen = 0;
	for (const HistogramBucket& bucket : times.buckets()) {
		seen += bucket.count;
		double to = seen == times.count() ? end : -std::log10(1 - static_cast<double>(seen) / count);
		steps.push_back({from, std::min(to, end), bucket.max_ns});
		from = std::min(to, end);
	}
	return steps;
}

class Drawing {
 public:
	Drawing(const PercentilePlot& plot, SvgCanvas& canvas, double bottom)
	    : plot_(plot), canvas_(canvas), axis_(axis_for(plot, bottom))
	{
		for (const PercentileLine& line : plot.lines)
			decades_ = std::max(decades_, std::log10(static_cast<double>(line.times->count())));
	}

	void draw_axes() const;
	void draw_line(const PercentileLine& line) const;
	void draw_labels() const;

 private:
	static TimeAxis axis_for(const PercentilePlot& plot, double bottom);
	double x(double position) const { return kLeft + position / decades_ * (kRight - kLeft); }
	std::string stairs(const std::vector<Step>& steps, double from, double to) const;

	const PercentilePlot& plot_;
	SvgCanvas& canvas_;
	TimeAxis axis_;
	double decades_ = 2;  // at least up to p99
};

TimeAxis Drawing::axis_for(const PercentilePlot& plot, double bottom)
{
	u64 low_ns = plot.budget_ns ? plot.budget_ns : ~0ULL, high_ns = plot.budget_ns;
	for (const PercentileLine& line : plot.lines) {
		// A few very short times must not squeeze all that matters into the upper half.
		low_ns = std::min(low_ns, std::max(line.times->min_ns(), line.times->quantile_ns(0.5) / 10));
		high_ns = std::max(high_ns, line.times->max_ns());
	}
	return {std::min(low_ns, high_ns), high_ns, bottom, kTop};
}

void Drawing::draw_axes() const
{
	axis_.draw(canvas_, kLeft, kRight);
	canvas_.text(16, (axis_.bottom() + kTop) / 2, "label mid turned", plot_.time_label);
	canvas_.text((kLeft + kRight) / 2, axis_.bottom() + 42, "label mid", plot_.percentile_label);
	for (int position = 0; position <= static_cast<int>(decades_ + 1e-9); ++position) {
		std::string name = "90";
		if (position == 0)
			name = "0";
		else if (position >= 2)
			name = position == 2 ? "99" : "99." + std::string(static_cast<size_t>(position) - 2, '9');
		canvas_.line(x(position), kTop, x(position), axis_.bottom(), "grid");
		canvas_.text(x(position), axis_.bottom() + 20, "tick mid", "p" + name);
	}
	double median = std::log10(2);
	canvas_.line(x(median), kTop, x(median), axis_.bottom(), "grid minor");
	canvas_.text(x(median), axis_.bottom() + 20, "tick mid", "p50");
	if (plot_.budget_ns)
		draw_budget(canvas_, axis_, plot_.budget_ns, kLeft, kRight);
}

// The steps between two positions as path commands. Steps narrower than half a pixel are joined.
std::string Drawing::stairs(const std::vector<Step>& steps, double from, double to) const
{
	std::string commands;
	double drawn_to = -1;
	for (size_t at = 0; at < steps.size(); ++at) {
		const Step& step = steps[at];
		if (step.to < from || step.from > to)
			continue;
		double right = x(std::min(step.to, to)), y = axis_.at(step.time_ns);
		bool last = at + 1 == steps.size() || steps[at + 1].from > to;
		if (commands.empty())
			commands = fmt::format("M{} {}", pixel(x(std::max(step.from, from))), pixel(y));
		else if (right - drawn_to < 0.5 && !last)
			continue;
		commands += fmt::format("V{}H{}", pixel(y), pixel(right));
		drawn_to = right;
	}
	return commands;
}

void Drawing::draw_line(const PercentileLine& line) const
{
	u64 count = line.times->count();
	if (count == 0)
		return;
	std::string classes = fmt::format("curve s{} d{}{}", line.color % kColors, line.color / kColors % 3,
					  line.strong ? " strong" : "");
	std::vector<Step> steps = steps_of(*line.times);
	double end = std::log10(static_cast<double>(count));
	double firm = count > kBeyondMin ? std::log10(static_cast<double>(count) / kBeyondMin) : 0;
	canvas_.path(stairs(steps, 0, firm), classes);
	canvas_.path(stairs(steps, firm, end), classes + " tail");
	canvas_.circle(
	    x(end), axis_.at(line.times->max_ns()), 4,
	    fmt::format("{} s{} f{}", line.incomplete ? "open" : "dot", line.color % kColors, line.color % kColors));
}

void Drawing::draw_labels() const
{
	std::vector<double> wanted;
	wanted.reserve(plot_.lines.size());
	for (const PercentileLine& line : plot_.lines)
		wanted.push_back(axis_.at(line.times->max_ns()));
	std::vector<double> placed = spread(wanted, kLabelGap, kTop + 6, axis_.bottom() - 12);
	for (size_t at = 0; at < plot_.lines.size(); ++at) {
		const PercentileLine& line = plot_.lines[at];
		double end = line.times->count() ? x(std::log10(static_cast<double>(line.times->count()))) : x(0);
		canvas_.path(fmt::format("M{} {}L{} {}", pixel(end + 6), pixel(wanted[at]), pixel(kRight + 24),
					 pixel(placed[at])),
			     fmt::format("leader s{}", line.color % kColors));
		canvas_.text(kRight + 30, placed[at] + 4, line.strong ? "name strong" : "name",
			     shortened(clean_text(line.name), kNameMax));
		canvas_.text(kRight + 30, placed[at] + 18, "note", shortened(clean_text(line.note), kNoteMax));
	}
}

}  // namespace

Markup percentile_plot(const PercentilePlot& plot)
{
	double bottom = std::max(380.0, kTop + kLabelGap * static_cast<double>(plot.lines.size()) + 20);
	std::string description = plot.time_label + " by percentile.";
	for (const PercentileLine& line : plot.lines)
		description +=
		    fmt::format(" {}: p50 {} us, p99 {} us, p99.9 {} us, maximum {} us.", line.name,
				us_text(line.times->quantile_ns(0.5)), us_text(line.times->quantile_ns(0.99)),
				us_text(line.times->quantile_ns(0.999)), us_text(line.times->max_ns()));
	SvgCanvas canvas(kWidth, bottom + 52, plot.title, description);
	Drawing drawing(plot, canvas, bottom);
	drawing.draw_axes();
	for (bool strong : {false, true})  // what matters most lies on top
		for (const PercentileLine& line : plot.lines)
			if (line.strong == strong)
				drawing.draw_line(line);
	drawing.draw_labels();
	return std::move(canvas).finish();
}

}  // namespace punctual
