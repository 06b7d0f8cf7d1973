// SPDX-License-Identifier: GPL-2.0-only
// Several CPUs in virtual time: the plugin for QEMU (src/lab/qemu/rounds.cpp), which is part of this binary.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// A file that holds the plugin; QEMU reads it when it starts.
Result<UniqueFd> rounds_plugin_file();

// The value of QEMU's option -plugin for that file, under `path`.
std::string rounds_plugin_option(const std::string& path);

// Differs when the plugin does: it decides what a guest does.
std::string rounds_plugin_identity();

// Error (lacking) with the remedy when this QEMU is not one that the plugin knows.
Status check_rounds_plugin(const std::string& qemu);

}  // namespace punctual
