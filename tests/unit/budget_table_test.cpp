// SPDX-License-Identifier: GPL-2.0-only
#include "object/budget_table.h"

#include <gtest/gtest.h>

#include "abi/sched.h"

namespace punctual {
namespace {

std::vector<BudgetRow> taken(std::initializer_list<uint32_t> indexes)
{
	std::vector<BudgetRow> rows;
	for (const uint32_t index : indexes)
		rows.push_back({.cgroup_id = 100 + index, .class_index = index});
	return rows;
}

TEST(BudgetTable, NewBudgetGetsTheLowestFreeRow)
{
	EXPECT_EQ(lowest_free_row({}), 0U);
	EXPECT_EQ(lowest_free_row(taken({0, 1, 2})), 3U);
	EXPECT_EQ(lowest_free_row(taken({2, 0})), 1U);  // of one that was cleared
}

TEST(BudgetTable, FullTableHasNoRow)
{
	std::vector<BudgetRow> rows;
	for (uint32_t index = 0; index < CLASSES_MAX; index++)
		rows.push_back({.cgroup_id = 100 + index, .class_index = index});
	EXPECT_FALSE(lowest_free_row(rows));
	rows.pop_back();
	EXPECT_EQ(lowest_free_row(rows), CLASSES_MAX - 1);
}

}  // namespace
}  // namespace punctual
