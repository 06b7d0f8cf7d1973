// SPDX-License-Identifier: GPL-2.0-only
// Run-queue waits as text for a terminal. Times are microseconds, as each title says.
#pragma once

#include <string>

#include "measure/waits.h"

namespace punctual {

enum class WaitsBy { kind, cpu, cgroup, task };

// The distribution in octaves with bars, and the quantiles of each kind.
std::string waits_histogram_text(const WaitSnapshot& window);

// Quantiles by CPU, cgroup or task, those that waited longest in all first, at most 20 rows. With cgroups also their
// throttling, and for whom they waited.
std::string waits_table_text(const WaitSnapshot& window, WaitsBy by);

// What was lost, what still waits, and how far quantiles may err: a part of every output.
std::string waits_losses_text(const WaitSnapshot& window);

// The longest 20, a line each: who waited, and who ran meanwhile, the latest first.
std::string outliers_text(const std::vector<WaitOutlier>& outliers, const WaitSnapshot& window);

}  // namespace punctual
