// SPDX-License-Identifier: GPL-2.0-only
#include "view/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "view/number.h"
#include "view/svg.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr double kWidth = 900, kLeft = 66, kRight = 880, kTop = 30, kBottom = 330;
constexpr int kRowsPerOctave = 2;
constexpr int kRows = 64 * kRowsPerOctave;
constexpr size_t kShades = 8;
constexpr size_t kMarksMax = 100, kLabelsMax = 8;
constexpr size_t kLabelWidth = 16;

double row_low_ns(int row)
{
	return std::exp2(static_cast<double>(row) / kRowsPerOctave);
}

int row_of(u64 wait_ns)
{
	const double octave = std::log2(std::max(static_cast<double>(wait_ns), 1.0));
	return std::clamp(static_cast<int>(octave * kRowsPerOctave), 0, kRows - 1);
}

// How many waits of each length there were in a column.
std::array<u64, kRows> rows_of(const WaitCounts& counts)
{
	std::array<u64, kRows> rows{};
	for (u32 i = 0; i < counts.buckets.size(); i++)
		if (counts.buckets[i]) {
			const u64 low_ns = loglin_min(i, LOGLIN_RUNQ_BITS), high_ns = loglin_max(i, LOGLIN_RUNQ_BITS);
			rows[static_cast<size_t>(row_of(low_ns + (high_ns - low_ns) / 2))] += counts.buckets[i];
		}
	return rows;
}

class Drawing {
 public:
	Drawing(const HeatMap& map, SvgCanvas& canvas) : map_(map), canvas_(canvas)
	{
		for (const WaitCounts& column : map.columns)
			columns_.push_back(rows_of(column));
		int low = kRows - 1, high = 0;
		for (const auto& column : columns_)
			for (int row = 0; row < kRows; row++)
				if (const u64 count = column[static_cast<size_t>(row)]) {
					low = std::min(low, row);
					high = std::max(high, row);
					most_ = std::max(most_, count);
				}
		low = std::min(low, high);
		axis_ = TimeAxis(static_cast<u64>(row_low_ns(low)),
				 static_cast<u64>(std::min(row_low_ns(high + 1), 1e18)), kBottom, kTop);
	}

	u64 most() const { return most_; }
	void draw_cells() const;
	void draw_axes() const;
	void draw_marks() const;

 private:
	double x(double ns) const
	{
		const double length_ns = std::max(static_cast<double>(map_.length_ns), 1.0);
		return kLeft + std::clamp(ns / length_ns, 0.0, 1.0) * (kRight - kLeft);
	}
	// 0: one wait. Each shade is the same factor of counts.
	size_t shade(u64 count) const
	{
		if (most_ <= 1)
			return kShades - 1;
		const double part = std::log(static_cast<double>(count)) / std::log(static_cast<double>(most_));
		return std::min(static_cast<size_t>(part * kShades), kShades - 1);
	}

	const HeatMap& map_;
	SvgCanvas& canvas_;
	std::vector<std::array<u64, kRows>> columns_;
	u64 most_ = 0;
	TimeAxis axis_{1, 1, kBottom, kTop};
};

// One path a shade: thousands of cells would be as many elements.
void Drawing::draw_cells() const
{
	std::array<std::string, kShades> paths;
	for (size_t at = 0; at < columns_.size(); at++) {
		const double left = x(static_cast<double>(at) * static_cast<double>(map_.column_ns));
		const double right = x(static_cast<double>(at + 1) * static_cast<double>(map_.column_ns));
		for (int row = 0; row < kRows; row++) {
			const u64 count = columns_[at][static_cast<size_t>(row)];
			if (count == 0)
				continue;
			const double top = axis_.at(static_cast<u64>(std::min(row_low_ns(row + 1), 1e18)));
			const double bottom = axis_.at(static_cast<u64>(row_low_ns(row)));
			paths[shade(count)] +=
			    fmt::format("M{} {}h{}v{}h{}z", pixel(left), pixel(top), pixel(right - left),
					pixel(bottom - top), pixel(left - right));
		}
	}
	for (size_t shade = 0; shade < kShades; shade++)
		if (!paths[shade].empty())
			canvas_.path(paths[shade], fmt::format("heat h{} f{}", shade, map_.color % kColors));
}

void Drawing::draw_axes() const
{
	axis_.draw(canvas_, kLeft, kRight);
	canvas_.text(16, (kTop + kBottom) / 2, "label mid turned", "wait, us");
	canvas_.text((kLeft + kRight) / 2, kBottom + 42, "label mid", "seconds since the start");
	const double seconds = static_cast<double>(map_.length_ns) / 1e9;
	if (seconds <= 0)
		return;
	double step = std::pow(10, std::floor(std::log10(seconds / 4)));
	while (seconds / step > 10)  // at most twice: 4 to 40 steps become 10 or less
		step *= seconds / step > 20 ? 5 : 2;
	for (double at = 0; at <= seconds * (1 + 1e-9); at += step)
		canvas_.text(x(at * 1e9), kBottom + 20, "tick mid", fmt::format("{:g}", at));
}

void Drawing::draw_marks() const
{
	const size_t nr = std::min(map_.marks.size(), kMarksMax);
	double free_from = kLeft;
	size_t nr_labels = 0;
	for (size_t at = 0; at < nr; at++) {
		const double left = x(static_cast<double>(map_.marks[at].offset_ns));
		canvas_.line(left, kTop - 8, left, kBottom, "mark");
		const std::string name = shortened(clean_text(map_.marks[at].text), kLabelWidth);
		const double width = pixel_width(name);
		const double start = std::min(left, kRight - width);
		if (start < free_from || nr_labels == kLabelsMax)
			continue;
		canvas_.text(start, kTop - 12, "note", name);
		free_from = start + width + 8;
		nr_labels++;
	}
}

}  // namespace

Markup heat_map(const HeatMap& map)
{
	WaitCounts all;
	for (const WaitCounts& column : map.columns)
		all.merge(column);
	std::string description =
	    fmt::format("{} waits over {:.1f} seconds, p50 {} us, p99 {} us, maximum {} us.", count_text(all.count()),
			static_cast<double>(map.length_ns) / 1e9, us_text(all.quantile_ns(0.5)),
			us_text(all.quantile_ns(0.99)), us_text(all.max_ns));
	for (size_t at = 0; at < std::min(map.marks.size(), kLabelsMax); at++)
		description += fmt::format(" At {:.1f} s: {}.", static_cast<double>(map.marks[at].offset_ns) / 1e9,
					   map.marks[at].text);
	SvgCanvas canvas(kWidth, kBottom + 52, map.title, description);
	const Drawing drawing(map, canvas);
	drawing.draw_cells();
	drawing.draw_axes();
	drawing.draw_marks();
	return std::move(canvas).finish();
}

}  // namespace punctual
