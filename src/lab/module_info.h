// SPDX-License-Identifier: GPL-2.0-only
// What a kernel module says about itself. Pure: bytes in, names out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

// The name under which the kernel knows a module: "nf-tables", "nf_tables.ko" and "nf-tables.ko.xz" are "nf_tables".
std::string module_name(std::string_view text);

// The modules that must be there before it, as its section .modinfo names them. Error (failed) when `elf` is no module.
Result<std::vector<std::string>> module_dependencies(std::string_view elf);

}  // namespace punctual
