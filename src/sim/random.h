// SPDX-License-Identifier: GPL-2.0-only
// Random numbers that are the same with every compiler and library: splitmix64. One stream for each
// thing that draws, so that a change of the schedule does not change when the packets come.
#pragma once

#include <cmath>

#include "abi/types.h"

namespace punctual::sim {

class Random {
 public:
	explicit Random(u64 seed, u64 stream = 0)
	    : state_(seed * 0x9E3779B97F4A7C15ULL + stream * 0xD1B54A32D192ED03ULL)
	{
		next();
	}

	u64 next()
	{
		u64 z = state_ += 0x9E3779B97F4A7C15ULL;
		z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
		z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
		return z ^ (z >> 31);
	}
	u64 below(u64 bound) { return bound ? next() % bound : 0; }
	u64 between(u64 least, u64 most) { return least + below(most - least + 1); }
	bool chance(u32 percent) { return below(100) < percent; }

	// Exponentially distributed, cut off at twenty times the mean: a run is finite.
	u64 exponential(u64 mean)
	{
		double unit = static_cast<double>((next() >> 11) + 1) * 0x1p-53;
		return static_cast<u64>(std::fmin(-std::log(unit), 20.0) * static_cast<double>(mean));
	}

 private:
	u64 state_;
};

}  // namespace punctual::sim
