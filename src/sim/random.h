// SPDX-License-Identifier: GPL-2.0-only
// Random numbers that are the same with every compiler and library: splitmix64. One stream for each
// thing that draws, so that a change of the schedule does not change when the packets come. The logarithm is our own,
// of basic operations, which IEEE 754 fixes to the last bit: that of a C library is not the same in the next release,
// nor on a CPU with other instructions.
#pragma once

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
		double factor = -natural_log(unit);
		return static_cast<u64>((factor < 20.0 ? factor : 20.0) * static_cast<double>(mean));
	}

	// Of a number above 0 and up to 1, right to 1e-13.
	static double natural_log(double x)
	{
		constexpr double kLog2 = 0x1.62e42fefa39efp-1, kSqrtHalf = 0x1.6a09e667f3bcdp-1;
		int halved = 0;

		for (; x < kSqrtHalf && halved < 64; halved++)
			x *= 2;
		const double s = (x - 1) / (x + 1), square = s * s;  // ln x = 2 (s + s^3/3 + s^5/5 ...), |s| < 0.172
		double sum = 0;
		for (int power = 17; power >= 1; power -= 2)
			sum = sum * square + 1.0 / power;
		return 2 * s * sum - halved * kLog2;
	}

 private:
	u64 state_;
};

}  // namespace punctual::sim
