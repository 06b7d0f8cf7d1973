// SPDX-License-Identifier: GPL-2.0-only
// What a program needs beside itself to run on another root file system.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace punctual {

bool is_elf(const std::filesystem::path& file);

// The interpreter that the first line of a script names ("#!/bin/sh"), or empty.
std::filesystem::path script_interpreter(const std::filesystem::path& file);

// The shared libraries that the loader of this machine picks for `program`, once it has also loaded
// `plugins`. Absolute paths, the loader itself included; empty for a static program.
Result<std::vector<std::string>> shared_libraries(const std::filesystem::path& program,
						  const std::vector<std::string>& plugins = {});

// An ELF program without what is not loaded to run it (symbols, debug information): emulated guests pay for
// each byte that they unpack. Anything else is returned unchanged.
std::string without_debug_information(std::string elf);

}  // namespace punctual
