// SPDX-License-Identifier: GPL-2.0-only
// `punctual bench --search`: for each arm the highest rate at which no more than so much is lost.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/arms.h"
#include "bench/options.h"
#include "bench/rate_search.h"
#include "bench/result.h"

namespace punctual {

struct FoundRates {
	std::string arm;
	RateSearch search;
	uint64_t trials = 0;
};

// Runs one arm at the rate of the options: a result for each start.
using RunStarts = std::function<Result<std::vector<BenchResult>>(const Arm& arm, const BenchOptions& options)>;

// Up to the rate of `options`. Says on stderr what each trial gave. Error of the first trial that failed.
Result<std::vector<FoundRates>> search_rates(const std::vector<Arm>& arms, const BenchOptions& options,
					     const RunStarts& run);

std::string search_text(const std::vector<FoundRates>& found, const BenchOptions& options, uint64_t nr_starts);

// The document "punctual.bench_search", version 1.
std::string search_json(const std::vector<FoundRates>& found, const BenchOptions& options, uint64_t nr_starts);

}  // namespace punctual
