// SPDX-License-Identifier: GPL-2.0-only
// A profile as text for a terminal, and the tables that its page shows too.
#pragma once

#include <string>
#include <vector>

#include "measure/profile.h"
#include "view/table.h"

namespace punctual {

// Those that ran, what costs most first, and their sum.
Table callbacks_table(const Profile& profile);
// What the samples were of, in percent of all of them.
Table weights_table(const Profile& profile);
// In which functions most samples ended.
Table functions_table(const Profile& profile);

// How the figures came about, and what they do not say: a part of every output. Sentences.
std::vector<std::string> profile_notes(const Profile& profile);

// "profile of 10.0 s on 2 CPUs, under scx_latency"
std::string profile_title(const Profile& profile);

std::string profile_text(const Profile& profile);

}  // namespace punctual
