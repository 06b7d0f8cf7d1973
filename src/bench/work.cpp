// SPDX-License-Identifier: GPL-2.0-only
#include "bench/work.h"

#include <algorithm>

#include "base/clock.h"

namespace punctual {
namespace {

// Long against the reading of the clock, short against the kernel's tick.
constexpr uint64_t kProbeIterations = 1 << 16;
constexpr int kTrials = 32;

uint64_t fastest_ns(uint64_t iterations, const std::function<uint64_t(uint64_t)>& measure)
{
	uint64_t best_ns = ~0ULL;
	for (int trial = 0; trial < kTrials; trial++)
		best_ns = std::min(best_ns, measure(iterations));
	return best_ns;
}

}  // namespace

Result<WorkLength> calibrate_work(Nanoseconds target, const std::function<uint64_t(uint64_t)>& measure)
{
	if (target.count() <= 0)
		return WorkLength{0, 0};
	const uint64_t probe_ns = fastest_ns(kProbeIterations, measure);
	if (probe_ns == 0)
		return fail(ExitCode::invalid, "cannot calibrate the work of a packet: the clock does not move");
	const auto scaled = static_cast<unsigned __int128>(target.count()) * kProbeIterations / probe_ns;
	const auto iterations = std::max<uint64_t>(1, static_cast<uint64_t>(scaled));
	return WorkLength{iterations, fastest_ns(iterations, measure)};
}

Result<WorkLength> calibrate_work(Nanoseconds target)
{
	uint64_t value = 1;
	return calibrate_work(target, [&value](uint64_t iterations) {
		const uint64_t start_ns = monotonic_ns();
		value = turn(iterations, value);
		return monotonic_ns() - start_ns;
	});
}

}  // namespace punctual
