// SPDX-License-Identifier: GPL-2.0-only
// A run of the benchmark on this machine: each arm is set up, loaded, measured and taken down. We
// sleep while an arm is measured; both sides note their own figures (board.h).
//
// The order of arms on one machine matters (the first after boot runs faster): a comparison that
// should stand boots afresh for every arm, which `punctual bench --lab` does.
#pragma once

#include <functional>
#include <vector>

#include "base/stop.h"
#include "bench/arms.h"
#include "bench/options.h"
#include "bench/result.h"

namespace punctual {

// `options` as complete() gives them. `before_arm` is told what comes next. Needs root. Errors:
// lacking, ejected (a scheduler was thrown out), invalid (figures do not add up), interrupted.
// REQUIRES: one thread, as processes are forked.
Result<BenchResult> run_bench(const std::vector<Arm>& arms, const BenchOptions& options, StopSignal& stop,
			      const std::function<void(const Arm&)>& before_arm);

}  // namespace punctual
