// SPDX-License-Identifier: GPL-2.0-only
// The report of a bench: the same rows as a table for the terminal and as a page with figures, under a
// headline that is built from the numbers by a rule stated in the report itself.
#pragma once

#include <string>
#include <vector>

#include "measure/histogram.h"
#include "view/html_page.h"

namespace punctual {

// What one arm did in one of several starts.
struct BenchRun {
	Histogram latency;
	u64 offered = 0;
	u64 dropped = 0;
	double background_work = 0;
};

// What one arm did; over all starts, where there were several.
struct BenchRow {
	std::string name;
	Histogram latency;  // of delivered packets, from their scheduled arrival
	u64 offered = 0;    // packets sent to it
	u64 dropped = 0;
	u64 window_ns = 0;           // in which all of this was counted
	double background_work = 0;  // per unit of time; shown relative to the first row
	u64 context_switches = 0;
	u64 packet_cpu_ns = 0;
	u64 background_cpu_ns = 0;
	u64 cycle_ns = 0;     // of one wake-up and sleep of the packet side, its packets aside; 0: not known
	u64 budget_ns = 0;    // that this arm was given; 0: none
	std::string invalid;  // why this row must not be judged; empty when it may
	std::vector<BenchRun> runs = {};  // one a start, when there were several: the table shows their spread
};

// An arm against the first one, in one respect.
struct BenchComparison {
	std::string arm;
	std::string metric;  // "p99"
	double ratio = 1, ratio_low = 1, ratio_high = 1;
	bool is_known = false;  // is there such a ratio?
	double p = 1;           // corrected for all that is asked
	std::string verdict;    // "better"
	std::string reason;
};

struct BenchReport {
	std::vector<BenchRow> rows;                // the first one is what the others are compared with
	std::vector<BenchComparison> comparisons;  // where there were several starts
	std::string noise_floor;                   // what two runs of the first arm differ by, as a sentence
	double judged_at = 0.99;                   // the quantile that the headline speaks of, named before the run
	std::vector<PageFact> load;                // rate, ring, background ...: one line above the table
	std::vector<PageFact> environment;         // kernel, CPUs, versions ...: the page's last section
	std::vector<PageSection> sections;         // further ones, after the numbers; text has their tables and notes
	std::vector<std::string> notes;            // further small print
	std::string command;                       // that makes this report again; may be empty
};

std::string bench_text(const BenchReport& report);
std::string bench_html(const BenchReport& report);

// The percentile plot alone, as an SVG file for a document.
std::string bench_svg(const BenchReport& report);

// The same of what it costs: latency against background work.
std::string bench_frontier_svg(const BenchReport& report);

}  // namespace punctual
