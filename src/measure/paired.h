// SPDX-License-Identifier: GPL-2.0-only
// Do two arms differ, by runs that come in pairs? One value a run (its p99, its background work): packets of one run
// share its stalls, so it is the run that counts, never the packet. The statistic is the mean of the log ratios B/A.
//
// p: exact paired sign-flip permutation (if A and B were the same, each pair might as well be the other way round).
// Interval: bootstrap over the pairs, widened for few of them. Pure: numbers in, numbers out, the same for the same
// seed.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"

namespace punctual {

struct PairedOptions {
	u32 nr_resamples = 10'000;
	u64 seed = 1;
};

struct PairedChange {
	size_t nr_pairs = 0;
	double ratio = 1;                      // geometric mean of B/A
	double ratio_low = 1, ratio_high = 1;  // 95 %
	double p = 1;                          // two-sided
	double spread = 0;                     // standard deviation of the log ratios
};

// Fewer pairs cannot reach p < 0.05 when so many questions are asked of them (Holm): the least p of n pairs is 2 / 2^n.
size_t pairs_min(size_t nr_questions);

// nullopt when there are less than two pairs, their numbers differ, or a value is not above 0: no ratio then.
std::optional<PairedChange> compare_pairs(std::span<const double> a, std::span<const double> b,
					  const PairedOptions& options = {});

// Holm's correction: p values of several questions as if each had been the only one. In the given order.
std::vector<double> holm(std::span<const double> p);

// The least change (1.12: 12 %) that this many pairs of this spread find in four of five cases at p < 0.05, by
// Student's t.
double detectable_ratio(double spread, size_t nr_pairs);

// The least number of pairs that finds such a change in four of five cases; pairs_min(1) to 10,000.
size_t pairs_needed(double spread, double ratio);

enum class PairedVerdict { better, worse, no_difference, inconclusive };

std::string_view verdict_name(PairedVerdict verdict);  // "better", "no difference" ...

struct PairedJudgement {
	PairedVerdict verdict = PairedVerdict::inconclusive;
	std::string reason;  // a clause, without a full stop
};

// `p`: of the change, corrected for as many questions as are asked. `margin` (0.05: 5 %): what difference would not
// matter; "no difference" needs the whole interval within it.
PairedJudgement judge_pairs(const PairedChange& change, double p, size_t nr_questions, double margin,
			    bool higher_is_better);

}  // namespace punctual
