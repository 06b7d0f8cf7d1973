// SPDX-License-Identifier: GPL-2.0-only
// Which libbpf this process runs with: it is a shared library, so the build does not decide.
#pragma once

#include <string>

namespace punctual {

std::string libbpf_version();  // "1.4"

}  // namespace punctual
