// SPDX-License-Identifier: GPL-2.0-only
// At which rate does a packet function begin to lose packets? A search over rates for several goals at once, in the
// manner of MLRsearch (draft-ietf-bmwg-mlrsearch): each trial counts for all goals, and where a low rate loses more
// than a higher one, that is held against the higher one. Decides only; who asks runs the trials.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace punctual {

// Loss that RFC 2544 (none), carriers' service levels and FD.io (PDR) ask for.
constexpr double kLossGoals[] = {0, 1e-5, 0.005};

constexpr double kSearchWidth = 0.05;       // bounds are as near as that: the upper one over the lower one, less 1
constexpr uint64_t kSearchRateMin = 1'000;  // packets/s: below, a second holds too few to tell a loss of 0.5 %
constexpr uint64_t kSearchTrialsMax = 64;   // never reached: 3 goals x 10 halvings and both ends

struct RateBounds {
	std::optional<uint64_t> passed;  // the highest rate that kept the goal below every one that did not
	std::optional<uint64_t> failed;  // the lowest rate that did not; none: all that were tried kept it
};

class RateSearch {
 public:
	// REQUIRES: kSearchRateMin <= rate_max; goals: shares of the packets that may be lost.
	RateSearch(uint64_t rate_max, std::vector<double> goals);

	// The rate to try next, packets/s; nullopt: all goals are told.
	std::optional<uint64_t> next() const;

	// What was lost of the offered packets at a rate that next() gave: the worst of its trials.
	void add(uint64_t rate, double lost);

	RateBounds bounds(double goal) const;

 private:
	std::optional<uint64_t> next_for(double goal) const;

	uint64_t rate_max_;
	std::vector<double> goals_;
	std::map<uint64_t, double> lost_;  // by rate
};

}  // namespace punctual
