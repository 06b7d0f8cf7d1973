// SPDX-License-Identifier: GPL-2.0-only
// Does KVM work here? A device node proves nothing: nested and restricted hosts have one and die in it, or crawl.
// So one guest is booted to find out, once per boot of this host.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "lab/machine.h"

namespace punctual {

// kvm or emulated. `machine` is one that could run (kernel and root file system); the answer is kept in `cache`.
Result<Accelerator> wall_accelerator(const MachineSpec& machine, const std::filesystem::path& cache);

}  // namespace punctual
