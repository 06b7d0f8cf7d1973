// SPDX-License-Identifier: GPL-2.0-only
// From what a bench measured to what its report shows: part of the bench command.
#pragma once

#include <span>

#include "bench/options.h"
#include "bench/result.h"
#include "view/bench_page.h"

namespace punctual {

enum class BenchPlace { here, lab_virtual, lab_wall, simulator };

// One result a start, one at least, all of the same arms. `margin`: what difference would not matter, 0.05: 5 %.
BenchReport bench_report(std::span<const BenchResult> starts, const BenchOptions& options, BenchPlace place,
			 double margin);

}  // namespace punctual
