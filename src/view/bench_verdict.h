// SPDX-License-Identifier: GPL-2.0-only
// What a bench's numbers say, in sentences. Used by the bench report only.
//
// The rule: an arm keeps the budget when it lost no packet and its judged quantile is within the first
// budget that any arm was given. Of those that keep it, the best leaves most background work. Without
// any budget, the best lost fewest packets and, among equals, has the lowest judged quantile.
// Rows that are invalid or delivered nothing are never judged.
#pragma once

#include <string>
#include <vector>

#include "view/bench_page.h"

namespace punctual {

struct BenchVerdict {
	u64 budget_ns = 0;               // 0: no arm was given one
	const BenchRow* best = nullptr;  // the row that the headline is about: it won, or came nearest
	bool kept = false;               // did best keep the budget? true without a budget
	std::string headline;
	std::string lead;
};

BenchVerdict bench_verdict(const BenchReport& report);

// Of several starts the longest: a budget is kept when it is kept in each.
u64 judged_ns(const BenchReport& report, const BenchRow& row);
std::string judged_name(const BenchReport& report);  // "p99"
// Background work of a row over that of the first one; NaN when the first has none.
double relative_work(const BenchReport& report, const BenchRow& row);

// The middle one of the starts, or what the only run gave; and all of them in order. REQUIRES a start or more.
struct Spread {
	double least = 0, median = 0, most = 0;
};
Spread spread_of_quantile(const BenchRow& row, double quantile);
Spread spread_of_drops(const BenchRow& row);  // shares of the packets
Spread spread_of_work(const BenchReport& report, const BenchRow& row);

// Small print that follows from the numbers.
std::vector<std::string> bench_notes(const BenchReport& report);

}  // namespace punctual
