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

constexpr double kWidth = 880, kLeft = 66, kRight = 850, kTop = 16, kBottom = 340, kHeight = 392;
constexpr double kRadius = 6, kTextHeight = 15;
constexpr size_t kNameMax = 30;

struct Box {
	double left, top, right, bottom;

	bool overlaps(const Box& other) const
	{
		return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
	}
	double overlap(const Box& other) const
	{
		if (!overlaps(other))
			return 0;
		return (std::min(right, other.right) - std::max(left, other.left)) *
		       (std::min(bottom, other.bottom) - std::max(top, other.top));
	}
};

// Where names go: right, left, below or above of their point, the first place that covers no other name
// and no point; else the place that covers least.
class Labels {
 public:
	void avoid(double x, double y) { taken_.push_back({x - kRadius, y - kRadius, x + kRadius, y + kRadius}); }

	Box place(double x, double y, double width)
	{
		const double dx = kRadius + 4, half = kTextHeight / 2;
		const Box places[] = {{x + dx, y - half, x + dx + width, y + half},
				      {x - dx - width, y - half, x - dx, y + half},
				      {x - width / 2, y + kRadius + 2, x + width / 2, y + kRadius + 2 + kTextHeight},
				      {x - width / 2, y - kRadius - 2 - kTextHeight, x + width / 2, y - kRadius - 2},
				      {x + dx, y + half, x + dx + width, y + half + kTextHeight},
				      {x + dx, y - half - kTextHeight, x + dx + width, y - half}};
		const Box* best = places;
		double least = HUGE_VAL;
		for (const Box& place : places) {
			double covered = off_the_plot(place);
			for (const Box& other : taken_)
				covered += place.overlap(other);
			if (covered < least) {
				best = &place;
				least = covered;
			}
		}
		taken_.push_back(*best);
		return *best;
	}

 private:
	static double off_the_plot(const Box& box)
	{
		return (box.left < kLeft || box.right > kWidth || box.top < kTop - 10 || box.bottom > kBottom) ? 1e6
													       : 0;
	}
	std::vector<Box> taken_;
};

class WorkAxis {
 public:
	explicit WorkAxis(const std::vector<FrontierPoint>& points)
	{
		for (const FrontierPoint& point : points)
			most_ = std::max(most_, finite(point.work) * 1.05);
		while (most_ / step_ > 8)
			step_ *= step_ >= 50 ? 10 : 2.5;  // 20, 50, 500 ...
		most_ = std::ceil(most_ / step_) * step_;
	}
	double at(double work) const { return kLeft + finite(work) / most_ * (kRight - kLeft); }
	void draw(SvgCanvas& canvas) const
	{
		for (int tick = 0; tick * step_ <= most_ + 1e-9; ++tick) {
			canvas.line(at(tick * step_), kTop, at(tick * step_), kBottom, "grid");
			canvas.text(at(tick * step_), kBottom + 20, "tick mid", fmt::format("{} %", tick * step_));
		}
	}

 private:
	static double finite(double work) { return std::isfinite(work) ? std::max(work, 0.0) : 0; }
	double most_ = 100, step_ = 20;
};

// The points with complete results that no other such point beats in both time and work, by falling work.
std::vector<const FrontierPoint*> undominated(const std::vector<FrontierPoint>& points)
{
	std::vector<const FrontierPoint*> sorted;
	for (const FrontierPoint& point : points)
		if (!point.incomplete)
			sorted.push_back(&point);
	std::sort(sorted.begin(), sorted.end(), [](const FrontierPoint* a, const FrontierPoint* b) {
		return a->work != b->work ? a->work > b->work : a->time_ns < b->time_ns;
	});
	std::vector<const FrontierPoint*> best;
	for (const FrontierPoint* point : sorted)
		if (best.empty() || point->time_ns < best.back()->time_ns)
			best.push_back(point);
	return best;
}

void draw_frontier(SvgCanvas& canvas, const WorkAxis& work, const TimeAxis& time,
		   const std::vector<FrontierPoint>& points)
{
	std::string commands;
	for (const FrontierPoint* point : undominated(points)) {
		double x = work.at(point->work), y = time.at(point->time_ns);
		// From the previous point, less work buys a shorter time only where this point begins.
		commands += commands.empty() ? fmt::format("M{} {}V{}", pixel(x), pixel(kTop), pixel(y))
					     : fmt::format("H{}V{}", pixel(x), pixel(y));
	}
	if (!commands.empty())
		canvas.path(commands + fmt::format("H{}", pixel(kLeft)), "frontier");
}

TimeAxis time_axis(const FrontierPlot& plot)
{
	u64 low_ns = plot.budget_ns ? plot.budget_ns : ~0ULL, high_ns = plot.budget_ns;
	for (const FrontierPoint& point : plot.points) {
		low_ns = std::min(low_ns, point.time_ns);
		high_ns = std::max(high_ns, point.time_ns);
	}
	// Room below and above, so that no point sits on the frame.
	return {std::min(low_ns, high_ns) / 10 * 8, high_ns + high_ns / 10 * 2, kBottom, kTop};
}

}  // namespace

Markup frontier_plot(const FrontierPlot& plot)
{
	std::string description = fmt::format("{} against {}. ", plot.time_label, plot.work_label);
	for (const FrontierPoint& point : plot.points)
		description += fmt::format("{}: {} us at {:.0f} %{}. ", point.name, us_text(point.time_ns), point.work,
					   point.incomplete ? ", with packets lost" : "");
	SvgCanvas canvas(kWidth, kHeight, plot.title, description);
	WorkAxis work(plot.points);
	TimeAxis time = time_axis(plot);
	work.draw(canvas);
	time.draw(canvas, kLeft, kRight);
	canvas.text(16, (kTop + kBottom) / 2, "label mid turned", plot.time_label);
	canvas.text((kLeft + kRight) / 2, kBottom + 42, "label mid", plot.work_label);
	canvas.text(kRight - 8, kBottom - 10, "label end halo", "better: sooner, and more work \u2198");
	if (plot.budget_ns)
		draw_budget(canvas, time, plot.budget_ns, kLeft, kRight);
	draw_frontier(canvas, work, time, plot.points);

	Labels labels;
	for (const FrontierPoint& point : plot.points)
		labels.avoid(work.at(point.work), time.at(point.time_ns));
	for (const FrontierPoint& point : plot.points) {
		double x = work.at(point.work), y = time.at(point.time_ns);
		std::string name = shortened(clean_text(point.name), kNameMax);
		Box box = labels.place(x, y, pixel_width(name));
		bool leftwards = box.right < x;
		canvas.circle(x, y, point.strong ? kRadius + 1 : kRadius,
			      fmt::format("{} s{} f{}", point.incomplete ? "open" : "dot", point.color % kColors,
					  point.color % kColors));
		canvas.text(leftwards ? box.right : box.left, box.bottom - 3.5,
			    fmt::format("name halo{}{}", leftwards ? " end" : "", point.strong ? " strong" : ""), name);
	}
	return std::move(canvas).finish();
}

}  // namespace punctual
