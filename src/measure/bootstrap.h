// SPDX-License-Identifier: GPL-2.0-only
// Did waits change between two recordings, or is that noise? Pure statistics: blocks of time in, a verdict out.
//
// Waits of the same moment are alike, so single waits are no independent samples; whole blocks of time nearly are. The
// block bootstrap draws blocks with replacement, many times, and sees how far the ratio of a quantile moves by
// that alone. The interval is widened for few blocks (Student's t) and for blocks that still follow their
// predecessor (lag-1 correlation). docs/recordings.md has the reasons and the error rates that were counted.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "measure/waits.h"

namespace punctual {

struct BootstrapOptions {
	u32 nr_resamples = 2000;
	double confidence = 0.95;
	u64 seed = 1;  // same blocks, same seed: same answer
};

// B against A in one quantile.
struct QuantileChange {
	double quantile = 0;
	double a_ns = 0, b_ns = 0;  // inside their bucket by its share, so not the same as quantile_ns()
	double ratio = 1;           // b / a
	double ratio_low = 0, ratio_high = 0;
	u64 nr_beyond = 0;  // waits above it, in the recording that has fewer

	// Fewer waits than this above a quantile: its interval is no more than a hint.
	static constexpr u64 kBeyondMin = 20;
	bool is_firm() const { return nr_beyond >= kBeyondMin; }
	bool operator==(const QuantileChange&) const = default;
};

// One entry a quantile, in the given order. Empty when either side has no waits or fewer than two blocks.
std::vector<QuantileChange> compare_quantiles(std::span<const WaitCounts> a, std::span<const WaitCounts> b,
					      std::span<const double> quantiles, const BootstrapOptions& options = {});

enum class Verdict { better, no_difference, worse, inconclusive };

struct Judgement {
	Verdict verdict = Verdict::inconclusive;
	std::string reason;  // a sentence
};

constexpr size_t kBlocksMin = 20;  // each side
// The interval must be narrower than this many times the noise, or "no difference" would mean little.
constexpr double kResolution = 4;

// `noise`: a smaller change (0.05: 5 %) does not count. "worse" and "better" need a change above it whose interval
// excludes 1; "no difference" an interval that holds no change of kResolution times the noise.
Judgement judge(const QuantileChange& change, size_t nr_blocks_a, size_t nr_blocks_b, double noise);

}  // namespace punctual
