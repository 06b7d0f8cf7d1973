// SPDX-License-Identifier: GPL-2.0-only
// Whether two boots of one image tell the same of themselves. Boots are alike to the last figure, or nothing may be
// concluded from their difference.
#pragma once

#include "base/result.h"
#include "bench/result.h"

namespace punctual {

// Error (invalid): their environments differ; names both arms, and the first fact that differs with both values.
// Both have an arm. The facts on the length of work ("work_...") may differ by 1e-5: it is found by reading the clock,
// which rounds to nanoseconds, and of a long one the last digit was seen to differ between two arms. In wall time each
// finds for itself how long a loop takes.
Status refuse_unlike(const BenchResult& first, const BenchResult& other);

}  // namespace punctual
