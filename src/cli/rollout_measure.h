// SPDX-License-Identifier: GPL-2.0-only
// One run of a roll-out: the scheduler loaded, or not; the load measured; and the scheduler gone again.
#pragma once

#include "base/stop.h"
#include "bench/rollout_state.h"
#include "cli/rollout_options.h"

namespace punctual {

// Error: lacking, ejected, invalid, interrupted; nothing of ours is loaded or left then, as after success.
// REQUIRES: one thread, as processes are forked.
Result<RolloutRun> measure_rollout(const RolloutSetup& setup, uint64_t step, uint64_t pair, RolloutArm arm,
				   StopSignal& stop);

}  // namespace punctual
