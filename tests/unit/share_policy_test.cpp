// SPDX-License-Identifier: GPL-2.0-only
// What normal tasks keep and what a class may use: the floor and the cap.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "policy/cap.h"
#include "policy/floor.h"

namespace {

// One CPU, a budgeted task that never sleeps and a normal one: who runs is what the floor says. The kernel looks
// at every tick, and after floor_look_ns() where the floor was needed in the last window.
struct FloorRun {
	floor_tunables tunables;
	std::vector<u8> normal;  // per microsecond: who ran

	FloorRun(u32 percent, u64 tick_ns) : tunables(floor_tunables_of(percent, 100'000'000, 200'000))
	{
		u64 owed_ns = 0;
		u64 look_ns = tick_ns;
		u64 granted_ns = 0;
		for (u64 now_ns = 0; now_ns < 500'000'000;) {
			u64 ran_ns = std::min(look_ns, tick_ns - now_ns % tick_ns);
			run(ran_ns, 0);
			now_ns += ran_ns;
			owed_ns = floor_after_budgeted(owed_ns, ran_ns, &tunables);
			if (floor_is_due(owed_ns, false, &tunables)) {
				granted_ns = now_ns;
				run(tunables.grain_ns, 1);
				now_ns += tunables.grain_ns;
				owed_ns = floor_after_normal(owed_ns, tunables.grain_ns);
			}
			look_ns = granted_ns ? floor_look_ns(owed_ns, &tunables) : tick_ns;
		}
	}
	void run(u64 ran_ns, u8 is_normal) { normal.insert(normal.end(), ran_ns / 1000, is_normal); }

	// The smallest share of normal time in any window.
	double smallest() const
	{
		constexpr size_t kWindow = 100'000;
		size_t ran = std::accumulate(normal.begin(), normal.begin() + kWindow, size_t{0});
		size_t least = ran;
		for (size_t i = kWindow; i < normal.size(); i++) {
			ran += normal[i] - normal[i - kWindow];
			least = std::min(least, ran);
		}
		return static_cast<double>(least) / kWindow;
	}
};

TEST(Floor, HoldsInEveryWindowAgainstATaskThatNeverSleeps)
{
	for (u32 percent : {1, 5, 10, 30, 50})
		for (u64 tick_ns : {1'000'000, 4'000'000, 10'000'000}) {
			double share = FloorRun(percent, tick_ns).smallest();
			EXPECT_GE(share, percent / 100.0) << percent << " % with a tick of " << tick_ns;
			EXPECT_LE(share, percent / 100.0 + 0.02) << percent;  // and takes no more
		}
}

TEST(Floor, NormalTasksThatHaveMoreThanTheirShareAreOwedNothing)
{
	floor_tunables tunables = floor_tunables_of(10, 100'000'000, 200'000);
	u64 owed_ns = 0;
	for (int packet = 0; packet < 100'000; packet++) {  // 30 % packets, as a packet function does
		owed_ns = floor_after_budgeted(owed_ns, 12'000, &tunables);
		EXPECT_FALSE(floor_is_due(owed_ns, false, &tunables));
		owed_ns = floor_after_normal(owed_ns, 28'000);
	}
}

TEST(Floor, OnceDueItStaysDueUntilAllIsPaid)
{
	floor_tunables tunables = floor_tunables_of(10, 100'000'000, 200'000);
	EXPECT_FALSE(floor_is_due(199'999, false, &tunables));
	EXPECT_TRUE(floor_is_due(200'000, false, &tunables));
	EXPECT_TRUE(floor_is_due(1, true, &tunables));  // else both sides would take turns of nothing
	EXPECT_FALSE(floor_is_due(0, true, &tunables));
}

TEST(Floor, WaitsForThoseWhoWokeUpUntilTheDebtIsLarge)
{
	floor_tunables tunables = floor_tunables_of(10, 100'000'000, 200'000);
	EXPECT_TRUE(floor_waits_for(deadline_key(1'000'000), 399'999, &tunables));
	EXPECT_FALSE(floor_waits_for(deadline_key(1'000'000), 400'000, &tunables));
	EXPECT_FALSE(floor_waits_for(renewed_key(1'000'000), 1, &tunables));
}

TEST(Floor, OnlyALargeDebtKeepsTheCpuFromThoseWhoWakeUp)
{
	floor_tunables tunables = floor_tunables_of(10, 100'000'000, 200'000);
	EXPECT_EQ(floor_kept_until_ns(1'000'000, 399'999, &tunables), 0);
	EXPECT_EQ(floor_kept_until_ns(1'000'000, 400'000, &tunables), 1'200'000);
}

TEST(Floor, IsPaidBeforeThoseThatHadTheirBurstsComeBack)
{
	floor_tunables tunables = floor_tunables_of(10, 100'000'000, 200'000);
	EXPECT_EQ(floor_paid_until_ns(1'000'000, 150'000, true, &tunables), 1'150'000);
	EXPECT_EQ(floor_paid_until_ns(1'000'000, 9'000'000, true, &tunables), 1'400'000);
	EXPECT_EQ(floor_paid_until_ns(1'000'000, 150'000, false, &tunables), 0);  // nothing is due yet
}

TEST(Floor, OldDebtsAreVoid)
{
	floor_tunables tunables = floor_tunables_of(10, 100'000'000, 200'000);
	u64 owed_ns = 0;
	for (int i = 0; i < 100; i++)
		owed_ns =
		    floor_after_budgeted(owed_ns, ~0ULL >> 1, &tunables);  // hours in which nobody else wanted the CPU
	EXPECT_LE(owed_ns, 11'300'000);  // a window's share, not minutes in which the budgets fail
}

TEST(Cap, UsedUpQuotaEndsTheClaimUntilThePeriodEnds)
{
	cap_account account = {.period_at_ns = 0, .used_ns = 0};
	account.used_ns = 30'000'000;
	EXPECT_TRUE(over_cap(cap_at(account, 99'999'999, 30'000'000, 100'000'000), 30'000'000));
	EXPECT_FALSE(over_cap(cap_at(account, 100'000'000, 30'000'000, 100'000'000), 30'000'000));
}

TEST(Cap, ExcessCountsAgainstTheNextPeriodButNotTheOneAfter)
{
	cap_account account = {.period_at_ns = 0, .used_ns = 500'000'000};
	account = cap_at(account, 100'000'000, 30'000'000, 100'000'000);
	EXPECT_TRUE(over_cap(account, 30'000'000));
	account = cap_at(account, 200'000'000, 30'000'000, 100'000'000);
	EXPECT_FALSE(over_cap(account, 30'000'000));
}

TEST(Cap, PeriodsStayInStepAfterALongSleep)
{
	cap_account account = {.period_at_ns = 0, .used_ns = 500'000'000};
	account = cap_at(account, 1'234'000'000, 30'000'000, 100'000'000);
	EXPECT_EQ(account.period_at_ns, 1'200'000'000);
	EXPECT_EQ(account.used_ns, 0);
	// Another CPU's clock may be a little behind the one that began the period.
	EXPECT_EQ(cap_at(account, 1'199'999'000, 30'000'000, 100'000'000).period_at_ns, 1'200'000'000);
}

}  // namespace
