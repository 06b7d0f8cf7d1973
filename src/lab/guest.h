// SPDX-License-Identifier: GPL-2.0-only
// The first process of the guest: makes a usable system, runs the job's command, sends home what it printed,
// the files of /out and its exit status, and powers off. Runs under SCHED_FIFO, so that a scheduler under
// test neither counts it nor can starve it; the command itself starts as an ordinary task.
// With a Debian root it starts that instead (guest_root.h), and does the rest as a service of it.
#pragma once

#include "base/result.h"

namespace punctual {

// Only as process 1 or as that service (error otherwise). Does not return when it is.
Status run_guest();

}  // namespace punctual
