// SPDX-License-Identifier: GPL-2.0-only
// What `punctual budget` does to a table, for the command itself and for the guard that does it for somebody else. The
// results are documents "punctual.budget", version 1, as text.
#pragma once

#include <string>

#include "object/budget_table.h"

namespace punctual {

struct BudgetWords {
	std::string cgroup;
	std::string latency;
	std::string cap;  // empty: none
};

// Error (usage): what is wrong with the words, whatever the machine is.
Result<Budget> parse_budget_words(const BudgetWords& words);

// All rows; what is gone is shown this once.
Result<std::string> list_budgets(BudgetTable* table);

// Both give the row as it stands afterwards; for a budget that was taken away none.
Result<std::string> set_budget(BudgetTable* table, const BudgetWords& words);
Result<std::string> clear_budget(BudgetTable* table, const std::string& name);

}  // namespace punctual
