// SPDX-License-Identifier: GPL-2.0-only
// The fingerprint of machine and run. It decides whether two results may be compared at all.
#pragma once

#include "bench/options.h"
#include "bench/result.h"
#include "bench/work.h"

namespace punctual {

// What can be read without privilege is always there; the rest (debugfs) only when readable.
Environment read_environment(const BenchOptions& options, WorkLength work);

}  // namespace punctual
