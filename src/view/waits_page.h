// SPDX-License-Identifier: GPL-2.0-only
// The report of recorded run-queue waits: one page for one recording or for several side by side.
#pragma once

#include <string>
#include <vector>

#include "measure/waits.h"
#include "view/html_page.h"

namespace punctual {

// Which scheduler ran from a moment on.
struct WaitsMark {
	u64 at_ns = 0;
	std::string text;
};

// One recording.
struct WaitsPart {
	std::string name;
	WaitSnapshot total;               // from start_ns to end_ns
	std::vector<WaitCounts> columns;  // its waits over time, column_ns each from start_ns on
	u64 start_ns = 0;
	u64 end_ns = 0;
	u64 column_ns = 1;
	std::vector<WaitOutlier> outliers;  // in any order
	u64 nr_outliers = 0;                // with those that are not there
	std::vector<WaitsMark> marks;
	std::vector<PageFact> environment;
	std::string warning;  // why its figures are to be read with care; may be empty
};

std::string waits_html(const std::vector<WaitsPart>& parts);

}  // namespace punctual
