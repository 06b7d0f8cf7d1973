// SPDX-License-Identifier: GPL-2.0-only
// workloads/telemetry.py as it was when this binary was built: a benchmark must not depend on which
// files lie about on the machine, least of all inside the lab.
#pragma once

#include <string_view>

namespace punctual {

std::string_view telemetry_script();

}  // namespace punctual
