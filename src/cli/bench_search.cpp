// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_search.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "view/number.h"
#include "view/table.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

// The worst start counts: a rate is carried when each of them carries it.
double worst_loss(const std::vector<BenchResult>& starts)
{
	double worst = 0;
	for (const BenchResult& start : starts)
		worst = std::max(worst, start.arms[0].drop_ratio());
	return worst;
}

Result<FoundRates> search_of(const Arm& arm, const BenchOptions& options, const RunStarts& run)
{
	FoundRates found{arm.name, RateSearch(options.rate_per_s, {std::begin(kLossGoals), std::end(kLossGoals)})};
	while (const std::optional<uint64_t> rate = found.search.next()) {
		BenchOptions trial = options;
		trial.rate_per_s = *rate;
		const double lost = worst_loss(TRY(run(arm, trial)));
		found.search.add(*rate, lost);
		found.trials++;
		fmt::print(stderr, "bench: {} loses {:.4g} % of {} packets/s\n", arm.name, 100 * lost,
			   count_text(*rate));
	}
	return found;
}

std::string passed_text(const RateBounds& bounds)
{
	if (!bounds.passed)
		return "< " + count_text(kSearchRateMin);
	return (bounds.failed ? "" : ">= ") + count_text(*bounds.passed);
}

uint64_t packets_of_trial(const BenchOptions& options, uint64_t rate)
{
	return rate * static_cast<uint64_t>(options.duration.count()) / 1'000'000'000;
}

std::string notes_text(const BenchOptions& options, uint64_t nr_starts)
{
	const uint64_t packets = packets_of_trial(options, options.rate_per_s);
	std::string text = fmt::format(
	    "- The highest rate of which each of {} runs lost no more than that, and no lower rate lost more; another "
	    "one, at most {:.0f} % higher, did. After MLRsearch, without an external tester.\n"
	    "- A run at the highest rate offers {} packets. No loss in N packets means less than 3/N, with 95 %.\n",
	    nr_starts, 100 * kSearchWidth, count_text(packets));
	if (packets < 100'000)
		text += "- Fewer than 100,000 packets a run: a loss of 1e-5 is no loss at all (--duration).\n";
	return text;
}

}  // namespace

Result<std::vector<FoundRates>> search_rates(const std::vector<Arm>& arms, const BenchOptions& options,
					     const RunStarts& run)
{
	if (options.rate_per_s < kSearchRateMin)
		return fail(ExitCode::usage, "--search looks at rates from {} up to --pps: give that or more",
			    kSearchRateMin);
	std::vector<FoundRates> found;
	found.reserve(arms.size());
	for (const Arm& arm : arms)
		found.push_back(TRY(search_of(arm, options, run)));
	return found;
}

std::string search_text(const std::vector<FoundRates>& found, const BenchOptions& options, uint64_t nr_starts)
{
	Table table{{{"packets/s with", false}, {"no loss"}, {"loss <= 1e-5"}, {"loss <= 0.5 %"}, {"trials"}}, {}};
	for (const FoundRates& arm : found) {
		TableRow row{{{clean_text(arm.arm)}}};
		for (double goal : kLossGoals)
			row.cells.push_back({passed_text(arm.search.bounds(goal))});
		row.cells.push_back({count_text(arm.trials)});
		table.rows.push_back(std::move(row));
	}
	return table_text(table) + "\n" + notes_text(options, nr_starts);
}

std::string search_json(const std::vector<FoundRates>& found, const BenchOptions& options, uint64_t nr_starts)
{
	Json arms = Json::array();
	for (const FoundRates& arm : found) {
		Json goals = Json::array();
		for (double goal : kLossGoals) {
			const RateBounds bounds = arm.search.bounds(goal);
			Json json = {{"loss_max", goal}, {"passed_per_s", nullptr}, {"failed_per_s", nullptr}};
			if (bounds.passed)
				json["passed_per_s"] = *bounds.passed;
			if (bounds.failed)
				json["failed_per_s"] = *bounds.failed;
			goals.push_back(std::move(json));
		}
		arms.push_back({{"name", arm.arm}, {"trials", arm.trials}, {"goals", std::move(goals)}});
	}
	const Json document = {{"schema", "punctual.bench_search"},
			       {"version", 1},
			       {"rate_max_per_s", options.rate_per_s},
			       {"duration_ns", options.duration.count()},
			       {"starts", nr_starts},
			       {"width", kSearchWidth},
			       {"arms", std::move(arms)}};
	return document.dump(2) + "\n";
}

}  // namespace punctual
