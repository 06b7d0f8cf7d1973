// SPDX-License-Identifier: GPL-2.0-only
// The way from the guest's first file system into a Debian root: unpacks it, puts our program and a service in, and
// makes its systemd the first process. The service starts when multi-user.target is reached, and runs the job.
#pragma once

#include "base/result.h"

namespace punctual {

// Only as process 1. Does not return unless the root cannot be entered. Error (failed) says why: no systemd in it, not
// enough memory for it, our program does not run in it.
Status enter_root();

// Whether this process is the service that enter_root() put in.
bool is_root_service();

}  // namespace punctual
