// SPDX-License-Identifier: GPL-2.0-only
#include "bench/result.h"

namespace punctual {

double background_relative(const BenchResult& result, size_t arm)
{
	const double first = result.arms.front().background_per_s();
	return first == 0 ? 0 : result.arms[arm].background_per_s() / first;
}

}  // namespace punctual
