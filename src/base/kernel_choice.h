// SPDX-License-Identifier: GPL-2.0-only
// Kernel files that list choices and mark one: "none [integrity] confidentiality", "none voluntary full (lazy)".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

// The marked word; empty when none is.
std::string marked_choice(std::string_view text);

// Error (lacking): the kernel is locked down so far (confidentiality) that it loads neither a scheduler nor probes, as
// BPF programs may not read its memory. It says only "Invalid argument" itself.
Status check_bpf_may_read(const std::string& file = "/sys/kernel/security/lockdown");

}  // namespace punctual
