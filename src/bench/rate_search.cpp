// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rate_search.h"

#include <cmath>
#include <utility>

namespace punctual {

RateSearch::RateSearch(uint64_t rate_max, std::vector<double> goals) : rate_max_(rate_max), goals_(std::move(goals)) {}

std::optional<uint64_t> RateSearch::next() const
{
	if (lost_.size() >= kSearchTrialsMax)
		return std::nullopt;
	for (double goal : goals_)
		if (const std::optional<uint64_t> rate = next_for(goal))
			return rate;
	return std::nullopt;
}

void RateSearch::add(uint64_t rate, double lost)
{
	lost_[rate] = lost;
}

RateBounds RateSearch::bounds(double goal) const
{
	RateBounds bounds;
	for (const auto& [rate, lost] : lost_) {
		if (lost > goal) {
			bounds.failed = rate;
			break;
		}
		bounds.passed = rate;
	}
	return bounds;
}

// The ends first, then the middle of what is left, by ratio.
std::optional<uint64_t> RateSearch::next_for(double goal) const
{
	if (!lost_.contains(rate_max_))
		return rate_max_;
	const RateBounds known = bounds(goal);
	if (!known.failed || *known.failed <= kSearchRateMin)
		return std::nullopt;
	if (!known.passed)
		return kSearchRateMin;
	const double ratio = static_cast<double>(*known.failed) / static_cast<double>(*known.passed);
	if (ratio <= 1 + kSearchWidth)
		return std::nullopt;
	const double middle = static_cast<double>(*known.passed) * std::sqrt(ratio);
	return static_cast<uint64_t>(std::llround(middle));
}

}  // namespace punctual
