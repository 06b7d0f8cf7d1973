// SPDX-License-Identifier: GPL-2.0-only
#include "view/bench_verdict.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "view/number.h"

namespace punctual {
namespace {

constexpr u64 kBeyondMin = 100;  // samples beyond a quantile that make it firm

bool is_judged(const BenchRow& row)
{
	return row.invalid.empty() && row.latency.count() > 0;
}

bool keeps(const BenchReport& report, const BenchRow& row, u64 budget_ns)
{
	return is_judged(row) && row.dropped == 0 && judged_ns(report, row) <= budget_ns;
}

Spread spread_of(std::vector<double> values)
{
	std::ranges::sort(values);
	return values.empty() ? Spread{} : Spread{values.front(), values[values.size() / 2], values.back()};
}

double drop_share(const BenchRow& row)
{
	return row.offered ? static_cast<double>(row.dropped) / static_cast<double>(row.offered) : 0;
}

const BenchRow* most_work(const BenchReport& report, u64 budget_ns)
{
	const BenchRow* best = nullptr;
	for (const BenchRow& row : report.rows)
		if (keeps(report, row, budget_ns) && (!best || row.background_work > best->background_work))
			best = &row;
	return best;
}

const BenchRow* nearest(const BenchReport& report)
{
	const BenchRow* best = nullptr;
	auto badness = [&](const BenchRow& row) { return std::tuple(drop_share(row), judged_ns(report, row)); };
	for (const BenchRow& row : report.rows)
		if (is_judged(row) && (!best || badness(row) < badness(*best)))
			best = &row;
	return best;
}

// "keeps 99 % of packets within 49.3 us and loses none": the quantile is of delivered packets, so the
// sentence says so as soon as that makes a difference.
std::string achievement(const BenchReport& report, const BenchRow& row)
{
	std::string within = us_text(judged_ns(report, row));
	if (row.dropped == 0)
		return fmt::format("keeps {:g} % of packets within {} us and loses none", 100 * report.judged_at,
				   within);
	return fmt::format("keeps {:g} % of the packets that it delivers within {} us, but loses {} %",
			   100 * report.judged_at, within, percent_text(row.dropped, row.offered));
}

std::string price(const BenchReport& report, const BenchRow& row)
{
	const BenchRow& first = report.rows.front();
	double ratio = relative_work(report, row);
	if (&row == &first || !std::isfinite(ratio))
		return "";
	if (ratio >= 1.005)
		return fmt::format(", with {} % more background work than {}", relative_text(ratio - 1), first.name);
	if (ratio > 0.995)
		return fmt::format(", with the same background work as {}", first.name);
	return fmt::format(", at the price of {} % of {}'s background work", relative_text(1 - ratio), first.name);
}

std::string first_arm(const BenchReport& report)
{
	const BenchRow& first = report.rows.front();
	return fmt::format("{} has a {} of {} us and loses {}. ", first.name, judged_name(report),
			   us_text(judged_ns(report, first)),
			   first.dropped ? percent_text(first.dropped, first.offered) + " % of the packets" : "none");
}

std::string others_that_keep(const BenchReport& report, const BenchVerdict& verdict)
{
	std::string others;
	for (const BenchRow& row : report.rows) {
		if (&row == verdict.best || !keeps(report, row, verdict.budget_ns))
			continue;
		others += others.empty() ? " Also within it: " : ", ";
		others += fmt::format("{} ({} % of the work)", row.name, relative_text(relative_work(report, row)));
	}
	return others.empty() ? "" : others + ".";
}

std::string rule(const BenchReport& report, const BenchVerdict& verdict)
{
	if (!verdict.budget_ns)
		return fmt::format("No arm was given a budget: judged by packets lost, then by {}.",
				   judged_name(report));
	std::string budget = budget_text(verdict.budget_ns);
	if (!verdict.kept)
		return fmt::format("An arm keeps the {} budget when it loses no packet and its {} is within it.",
				   budget, judged_name(report));
	return fmt::format(
	    "Of the arms that keep the {} budget at {} and lose no packet, it leaves most background work.", budget,
	    judged_name(report));
}

}  // namespace

u64 judged_ns(const BenchReport& report, const BenchRow& row)
{
	if (row.runs.empty())
		return row.latency.quantile_ns(report.judged_at);
	return static_cast<u64>(spread_of_quantile(row, report.judged_at).most);
}

Spread spread_of_quantile(const BenchRow& row, double quantile)
{
	std::vector<double> values;
	values.reserve(row.runs.size());
	for (const BenchRun& run : row.runs)
		values.push_back(static_cast<double>(run.latency.quantile_ns(quantile)));
	return spread_of(std::move(values));
}

Spread spread_of_drops(const BenchRow& row)
{
	std::vector<double> values;
	values.reserve(row.runs.size());
	for (const BenchRun& run : row.runs)
		values.push_back(run.offered ? static_cast<double>(run.dropped) / static_cast<double>(run.offered) : 0);
	return spread_of(std::move(values));
}

Spread spread_of_work(const BenchReport& report, const BenchRow& row)
{
	const BenchRow& first = report.rows.front();
	std::vector<double> values;
	for (size_t at = 0; at < std::min(row.runs.size(), first.runs.size()); at++)
		if (first.runs[at].background_work > 0)  // else there is no ratio, and nothing that could be sorted
			values.push_back(row.runs[at].background_work / first.runs[at].background_work);
	return spread_of(std::move(values));
}

std::string judged_name(const BenchReport& report)
{
	return fmt::format("p{:g}", 100 * report.judged_at);
}

double relative_work(const BenchReport& report, const BenchRow& row)
{
	double first = report.rows.front().background_work;
	return first > 0 ? row.background_work / first : std::numeric_limits<double>::quiet_NaN();
}

BenchVerdict bench_verdict(const BenchReport& report)
{
	BenchVerdict verdict;
	for (const BenchRow& row : report.rows)
		if (verdict.budget_ns == 0)
			verdict.budget_ns = row.budget_ns;
	verdict.best = verdict.budget_ns ? most_work(report, verdict.budget_ns) : nearest(report);
	verdict.kept = verdict.best != nullptr;
	if (!verdict.kept)
		verdict.best = nearest(report);
	if (!verdict.best) {
		verdict.headline = "No arm gave a result that can be judged.";
		return verdict;
	}
	std::string finding =
	    verdict.best->name + " " + achievement(report, *verdict.best) + price(report, *verdict.best) + ".";
	verdict.headline = verdict.kept ? finding
					: fmt::format("No arm keeps the {} budget. Nearest: {}",
						      budget_text(verdict.budget_ns), finding);
	if (verdict.best != &report.rows.front() && is_judged(report.rows.front()))
		verdict.lead = first_arm(report);
	verdict.lead += rule(report, verdict);
	if (verdict.budget_ns && verdict.kept)
		verdict.lead += others_that_keep(report, verdict);
	return verdict;
}

std::vector<std::string> bench_notes(const BenchReport& report)
{
	std::vector<std::string> notes;
	bool dropped = false, rough = false;
	for (const BenchRow& row : report.rows) {
		if (!row.invalid.empty())
			notes.push_back(fmt::format("{} is invalid and not judged: {}", row.name, row.invalid));
		dropped |= row.dropped > 0;
		rough |= row.latency.count() < 1000 * kBeyondMin;
	}
	notes.push_back(
	    "Latency counts from the moment a packet was scheduled to arrive, not from when somebody looked.");
	if (dropped)
		notes.push_back(
		    "A dropped packet has no latency: percentiles are of delivered packets and flatter an arm that "
		    "drops.");
	if (rough)
		notes.push_back(
		    "p99.9 of fewer than 100,000 packets rests on fewer than 100 of them: take it as approximate.");
	if (report.comparisons.empty())
		notes.push_back("One run an arm: figures to look at, not a statistical verdict (see --starts).");
	notes.insert(notes.end(), report.notes.begin(), report.notes.end());
	return notes;
}

}  // namespace punctual
