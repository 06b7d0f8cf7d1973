// SPDX-License-Identifier: GPL-2.0-only
// Recorded waits as text for other programs: Prometheus, and tools that draw flame graphs.
#pragma once

#include <string>
#include <string_view>

#include "measure/waits.h"

namespace punctual {

// The exposition format of Prometheus: histograms of the waits by kind and by cgroup, losses, throttling, and the
// scheduler. Cgroups of one path are one series; at most 256 of them, the rest is "(other)". The bounds are 1024 ns and
// 1536 ns times powers of two, edges of our buckets: a wait of exactly a bound is counted one bound higher.
std::string prometheus_text(const WaitSnapshot& total, std::string_view scheduler);

// The same without the scheduler.
std::string wait_metrics(const WaitSnapshot& total);

// "victim;culprit ns" a line: whose tasks had the CPU, for how long, while tasks of the victim waited.
std::string folded_text(const WaitSnapshot& total);

}  // namespace punctual
