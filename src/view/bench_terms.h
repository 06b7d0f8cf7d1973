// SPDX-License-Identifier: GPL-2.0-only
// A bench of several runs in the terms of RFC 8219 (section 7): of each run the median (typical latency), the 99.9th
// percentile (worst case latency), and that less the shortest (packet delay variation); of these the middle one of the
// runs with the 1st and the 99th percentile, which of fewer than 100 runs are the least and the most. Like RFC 8219,
// not by it: that asks for a tester outside of the machine.
#pragma once

#include <string>
#include <vector>

#include "view/bench_page.h"
#include "view/table.h"

namespace punctual {

// No rows where there was only one run.
Table rfc8219_table(const BenchReport& report);
std::vector<std::string> rfc8219_notes(const BenchReport& report);

}  // namespace punctual
