// SPDX-License-Identifier: GPL-2.0-only
// The sections of the waits page that look at one recording. Used by the waits page only.
#pragma once

#include <string>

#include "view/waits_page.h"

namespace punctual {

// `color`: of the recording in all figures.
PageSection time_section(const WaitsPart& part, int color);
PageSection cpu_section(const WaitsPart& part, int color);
PageSection cgroup_section(const WaitsPart& part);
PageSection culprit_section(const WaitsPart& part);
PageSection longest_section(const WaitsPart& part);
PageSection loss_section(const WaitsPart& part);

}  // namespace punctual
