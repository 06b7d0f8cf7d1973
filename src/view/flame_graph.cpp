// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "view/figure.h"
#include "view/number.h"
#include "view/svg.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr double kWidth = 1180, kSide = 10, kRowHeight = 17, kTop = 44, kBottom = 8;
constexpr double kLeast = 0.5;           // pixels: a narrower box is not drawn
constexpr double kCharacter = 6.3;       // of a label
constexpr double kLabelLeast = 24;       // pixels: no label in a narrower box
constexpr size_t kRowsMax = 120;         // deeper frames are not drawn
constexpr size_t kDetailWidthMax = 160;  // characters

struct Place {
	u32 node;
	double x;
	size_t row;
};

class Drawing {
 public:
	explicit Drawing(const FlameGraph& graph)
	    : graph_(graph), stacks_(*graph.stacks), scale_((kWidth - 2 * kSide) / static_cast<double>(whole()))
	{
		lay_out();
	}

	Markup draw() const
	{
		const double height = kTop + kRowHeight * static_cast<double>(nr_rows_) + kBottom;
		SvgCanvas canvas(kWidth, height, graph_.title,
				 fmt::format("Flame graph of {} functions on kernel stacks; the tables beside it have "
					     "the figures. {}",
					     places_.size(), legend_text()));
		draw_legend(canvas);
		for (const Place& place : places_)
			draw_box(canvas, place, height - kBottom - kRowHeight * static_cast<double>(place.row + 1));
		if (places_.empty())
			canvas.text(kWidth / 2, kTop - 4, "note mid", "no samples");
		return std::move(canvas).finish();
	}

 private:
	u64 whole() const { return std::max<u64>({graph_.whole, stacks_.total(), 1}); }
	double width_of(const StackNode& node) const { return static_cast<double>(node.total) * scale_; }

	// From the root up, siblings by name, so that two graphs can be laid side by side.
	void lay_out()
	{
		std::vector<Place> open{{0, kSide, 0}};
		while (!open.empty()) {
			const Place at = open.back();
			open.pop_back();
			if (at.node != 0) {
				places_.push_back({at.node, at.x, at.row - 1});
				nr_rows_ = std::max(nr_rows_, at.row);
			}
			if (at.row >= kRowsMax)
				continue;
			std::vector<u32> children = stacks_.node(at.node).children;
			std::ranges::sort(children, {}, [&](u32 child) { return stacks_.name(stacks_.node(child)); });
			double x = at.x;
			for (const u32 child : children) {
				const double width = width_of(stacks_.node(child));
				if (width >= kLeast)
					open.push_back({child, x, at.row + 1});
				x += width;
			}
		}
	}

	void draw_box(SvgCanvas& canvas, const Place& place, double y) const
	{
		const StackNode& node = stacks_.node(place.node);
		const double width = width_of(node);
		const std::string name = clean_text(stacks_.name(node));
		const auto fits = static_cast<size_t>(std::max(width - 6, 0.0) / kCharacter);
		const std::string label = width >= kLabelLeast && fits >= 4 ? shortened(name, fits) : "";
		const std::string detail =
		    fmt::format("{}: {} % {}, {} % in itself", shortened(name, kDetailWidthMax),
				percent_text(node.total, whole()), graph_.whole_name, percent_text(node.self, whole()));
		const int color = part_color(node.part);
		canvas.box(place.x, y, width, kRowHeight, color < 0 ? "plain" : fmt::format("part f{}", color), label,
			   {kSide, kTop - 10, detail});
	}

	static constexpr std::tuple<SchedulerPart, const char*, double> kLegend[] = {
	    {SchedulerPart::bpf, "BPF scheduler", 0},
	    {SchedulerPart::ext_core, "sched_ext core", 140},
	    {SchedulerPart::kernel, "the rest of the kernel's scheduler", 285}};

	static std::string legend_text()
	{
		std::string text = "Colours:";
		for (const auto& [part, name, x] : kLegend)
			text += fmt::format(" {};", name);
		return text + " grey is no part of the scheduler.";
	}

	static void draw_legend(SvgCanvas& canvas)
	{
		for (const auto& [part, name, x] : kLegend) {
			canvas.rect(kSide + x, 6, 12, 12, fmt::format("part f{}", part_color(part)));
			canvas.text(kSide + x + 18, 16, "note", name);
		}
	}

	const FlameGraph& graph_;
	const StackTree& stacks_;
	double scale_;
	std::vector<Place> places_;
	size_t nr_rows_ = 0;
};

}  // namespace

int part_color(SchedulerPart part)
{
	switch (part) {
	case SchedulerPart::bpf:
		return 0;
	case SchedulerPart::ext_core:
		return 3;
	case SchedulerPart::kernel:
		return 1;
	case SchedulerPart::none:
		break;
	}
	return -1;
}

Markup flame_graph(const FlameGraph& graph)
{
	return Drawing(graph).draw();
}

}  // namespace punctual
