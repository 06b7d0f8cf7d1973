// SPDX-License-Identifier: GPL-2.0-only
// The work that a packet costs: a chain of dependent multiplications, so that neither the compiler
// nor a wide processor can shorten it, and its length can be measured once and relied upon.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "base/units.h"

namespace punctual {

// `iterations` links of the chain; the caller keeps the value, else the call may vanish.
inline uint64_t turn(uint64_t iterations, uint64_t value)
{
	for (uint64_t i = 0; i < iterations; i++) {
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
		asm volatile("" : "+r"(value));
	}
	return value;
}

struct WorkLength {
	uint64_t iterations;   // a packet
	uint64_t measured_ns;  // what they took: the fastest of several trials
};

// How many iterations take `target`. `measure(iterations)` gives the ns that they took; of several
// calls the shortest counts, as whatever disturbs can only lengthen. Error when the clock shows nothing.
Result<WorkLength> calibrate_work(Nanoseconds target, const std::function<uint64_t(uint64_t)>& measure);

// The same against the real clock, on the CPU that the caller runs on.
Result<WorkLength> calibrate_work(Nanoseconds target);

}  // namespace punctual
