// SPDX-License-Identifier: GPL-2.0-only
// Figures as static SVG: values in, markup out. No script, so they work in mail and in print; colours
// by CSS variables, so they follow the reader's light or dark scheme; a title and a description for
// those who cannot see them. Series are named where they end, so no legend has to be matched by colour.
#pragma once

#include <string>
#include <vector>

#include "measure/histogram.h"
#include "measure/stack_tree.h"
#include "view/markup.h"

namespace punctual {

struct PercentileLine {
	std::string name;
	std::string note;        // below the name: "p99.9 52 us"
	const Histogram* times;  // not null; drawn now, not kept
	int color = 0;
	bool strong = false;      // the line that the reader should follow
	bool incomplete = false;  // packets were lost: the line flatters, and ends in an open circle
};

// Times (logarithmic, us) over percentiles on a tail axis: each step of 1/(1-p) by ten - 90, 99,
// 99.9 - has the same width, so the tail is as readable as the body. Drawn faint where fewer than
// 100 samples lie beyond.
struct PercentilePlot {
	std::string title;
	std::vector<PercentileLine> lines;
	u64 budget_ns = 0;  // dashed line, with what lies above it shaded; 0: none
	std::string time_label = "packet latency, us";
	std::string percentile_label = "percentile of delivered packets, the slowest to the right";
};
Markup percentile_plot(const PercentilePlot& plot);

struct Bar {
	std::string name;
	double value;      // from 0; others are drawn as 0
	std::string text;  // beside the bar: "11.9 %"
	int color = 0;
	bool strong = false;
};

struct BarChart {
	std::string title;
	std::vector<Bar> bars;
	double reference = 0;  // a vertical line there, e.g. 100; 0: none
};
Markup bar_chart(const BarChart& chart);

struct FrontierPoint {
	std::string name;
	double work;  // what is left to others, in percent of a reference
	u64 time_ns;
	int color = 0;
	bool strong = false;
	bool incomplete = false;  // packets were lost: an open circle, never part of the frontier
};

// What a short wait costs: work to the right, times (logarithmic, us) upwards, so the best place is
// below right. A stepped line joins the points that no other point beats in both.
struct FrontierPlot {
	std::string title;
	std::string work_label;
	std::string time_label;
	std::vector<FrontierPoint> points;
	u64 budget_ns = 0;
};
Markup frontier_plot(const FrontierPlot& plot);

// Stacks as a flame graph: a box for each function, as wide as its share of the samples, above the one that called it.
// Coloured by the part of the scheduler. Each box tells its figures under the pointer and under the keyboard's focus.
struct FlameGraph {
	std::string title;
	const StackTree* stacks;  // not null; drawn now, not kept
	u64 whole = 0;            // what 100 % is: at least the weight of all stacks
	std::string whole_name;   // "of all samples"
};
Markup flame_graph(const FlameGraph& graph);

// The figures' colour of a part of the scheduler; -1: none.
int part_color(SchedulerPart part);

// The CSS that all figures need; once a page.
std::string figure_style();

// A figure as a file of its own, style included.
std::string standalone_svg(const Markup& figure);

}  // namespace punctual
