// SPDX-License-Identifier: GPL-2.0-only
#include "view/bench_terms.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kRunsMin = 20;   // RFC 8219, section 7.2: repetitions
constexpr u64 kPacketsMin = 500;  // the same: tagged frames of each
constexpr size_t kNameMax = 40;

// The value of a share of the sorted runs, by nearest rank.
u64 at_share(const std::vector<u64>& sorted, double share)
{
	const auto at = static_cast<size_t>(share * static_cast<double>(sorted.size()));
	return sorted[std::min(at, sorted.size() - 1)];
}

TableCell cell_of(const BenchRow& row, const std::function<u64(const Histogram&)>& value)
{
	std::vector<u64> values;
	values.reserve(row.runs.size());
	for (const BenchRun& run : row.runs)
		if (run.latency.count())
			values.push_back(value(run.latency));
	if (values.empty())
		return {"-"};
	std::ranges::sort(values);
	return {fmt::format("{} ({}-{})", us_text(at_share(values, 0.5)), us_text(at_share(values, 0.01)),
			    us_text(at_share(values, 0.99)))};
}

}  // namespace

Table rfc8219_table(const BenchReport& report)
{
	Table table{{{"arm", false}, {"typical us"}, {"worst case us"}, {"PDV us"}}, {}};
	for (const BenchRow& row : report.rows) {
		if (row.runs.empty())
			continue;
		table.rows.push_back(
		    {{{shortened(clean_text(row.name), kNameMax)},
		      cell_of(row, [](const Histogram& times) { return times.quantile_ns(0.5); }),
		      cell_of(row, [](const Histogram& times) { return times.quantile_ns(0.999); }),
		      cell_of(row, [](const Histogram& times) { return times.quantile_ns(0.999) - times.min_ns(); })}});
	}
	return table;
}

std::vector<std::string> rfc8219_notes(const BenchReport& report)
{
	std::vector<std::string> notes = {
	    "Typical: the median; worst case: the 99.9th percentile; PDV: that less the shortest. The middle one of "
	    "the "
	    "runs, and their 1st and 99th percentile. Like RFC 8219, without its tester outside of the machine."};
	if (!report.rows.empty() && report.rows.front().runs.size() < kRunsMin)
		notes.push_back(
		    fmt::format("RFC 8219 asks for {} runs, these are {}.", kRunsMin, report.rows.front().runs.size()));
	const auto is_short = [](const BenchRun& run) { return run.latency.count() < kPacketsMin; };
	if (std::ranges::any_of(report.rows,
				[&](const BenchRow& row) { return std::ranges::any_of(row.runs, is_short); }))
		notes.push_back(fmt::format("RFC 8219 asks for {} packets a run, some have fewer.", kPacketsMin));
	return notes;
}

}  // namespace punctual
