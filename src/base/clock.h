// SPDX-License-Identifier: GPL-2.0-only
// The clock of every measured time: CLOCK_MONOTONIC, which Python calls time.monotonic_ns().
#pragma once

#include <cerrno>
#include <cstdint>
#include <ctime>

namespace punctual {

inline uint64_t clock_ns(clockid_t clock)
{
	timespec now;
	::clock_gettime(clock, &now);
	return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t monotonic_ns()
{
	return clock_ns(CLOCK_MONOTONIC);
}

// Absolute, so that being late once does not make everything after it late.
inline void sleep_until_ns(uint64_t at_ns)
{
	const timespec at{static_cast<time_t>(at_ns / 1'000'000'000), static_cast<long>(at_ns % 1'000'000'000)};
	while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
	}
}

}  // namespace punctual
