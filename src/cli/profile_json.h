// SPDX-License-Identifier: GPL-2.0-only
// `punctual profile --json`: schema punctual.profile, described in docs/profile.md.
#pragma once

#include <string>

#include "measure/profile.h"

namespace punctual {

// One line, without the newline at its end.
std::string profile_json(const Profile& profile);

}  // namespace punctual
