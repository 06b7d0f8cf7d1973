// SPDX-License-Identifier: GPL-2.0-only
// A profile as one HTML page, or as a flame graph alone.
#pragma once

#include <string>

#include "measure/profile.h"

namespace punctual {

std::string profile_html(const Profile& profile);

// All stacks in the kernel, as a file of its own.
std::string profile_svg(const Profile& profile);

}  // namespace punctual
