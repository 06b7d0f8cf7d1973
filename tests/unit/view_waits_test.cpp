// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "view/waits_text.h"

namespace punctual {
namespace {

WaitSnapshot two_kinds()
{
	WaitSnapshot window;
	window.cpus.resize(2);
	window.cpus[1].cpu = 1;
	window.cpus[0].kinds[0].record(500, 30);
	window.cpus[0].kinds[0].record(5000, 60);
	window.cpus[1].kinds[1].record(1'500'000, 10);
	return window;
}

TEST(WaitsText, ShowsOctavesAndKinds)
{
	EXPECT_EQ(waits_histogram_text(two_kinds()),
		  "us                  waits                                              cum %\n"
		  "[0, 1)                 30  |@@@@@@@@@@@@@@@@@@@@                    |   30.0\n"
		  "[1, 2)                  0  |                                        |   30.0\n"
		  "[2, 4)                  0  |                                        |   30.0\n"
		  "[4, 8)                 60  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|   90.0\n"
		  "[8, 16)                 0  |                                        |   90.0\n"
		  "[16, 32)                0  |                                        |   90.0\n"
		  "[32, 64)                0  |                                        |   90.0\n"
		  "[64, 128)               0  |                                        |   90.0\n"
		  "[128, 256)              0  |                                        |   90.0\n"
		  "[256, 512)              0  |                                        |   90.0\n"
		  "[512, 1K)               0  |                                        |   90.0\n"
		  "[1K, 2K)               10  |@@@@@@@                                 |    100\n"
		  "\n"
		  "wait after  waits  sum ms  p50 us  p90 us  p99 us  p99.9 us  max us\n"
		  "wakeup         90     0.3     5.0     5.0     5.0       5.0     5.0\n"
		  "preempted      10    15.0    1500    1500    1500      1500    1500\n"
		  "new             0     0.0       0       0       0         0       0\n"
		  "all           100    15.3     5.2     5.2    1500      1500    1500\n");
	EXPECT_EQ(waits_histogram_text({}), "nobody waited\n");
}

TEST(WaitsText, ThrottlingStandsBesideTheCgroup)
{
	WaitSnapshot window;
	CgroupWaits limited;
	limited.id = 5;
	limited.path = "/limited.slice";
	limited.removed = true;
	limited.waits.record(80'000'000);
	limited.throttling = {10, 7, 400'000'000};
	window.cgroups.push_back(limited);
	window.culprits.push_back({5, kUnknownCulprit, 1'000'000});
	const std::string text = waits_table_text(window, WaitsBy::cgroup);
	EXPECT_NE(text.find("7 of 10 periods, 400.0 ms"), std::string::npos) << text;
	EXPECT_NE(text.find("/limited.slice (removed)"), std::string::npos) << text;
	EXPECT_NE(text.find("1.0  /limited.slice  (unknown)"), std::string::npos) << text;
}

TEST(WaitsText, NamesOfTasksCannotHarmTheTerminal)
{
	WaitSnapshot window;
	window.tasks.push_back(
	    {.pid = 1, .tgid = 1, .start_ns = 1, .comm = "\x1b[2J", .cgroup_id = 0, .waits = {1, 9, 9}});
	window.open = {.nr = 1, .longest_ns = 5, .pid = 1, .comm = "\x1b[2J"};
	EXPECT_EQ(waits_table_text(window, WaitsBy::task).find('\x1b'), std::string::npos);
	EXPECT_EQ(waits_losses_text(window).find('\x1b'), std::string::npos);
	WaitOutlier outlier;
	outlier.comm = "\x1b[2J";
	outlier.runners.push_back({.pid = 1, .comm = "\x1b[2J", .cgroup_id = 0, .ran_ns = 1});
	EXPECT_EQ(outliers_text({outlier}, window).find('\x1b'), std::string::npos);
}

TEST(WaitsText, LossesAreSaidEvenWhenThereAreNone)
{
	EXPECT_EQ(waits_losses_text({}),
		  "lost 0, discarded 0, unknown start 0; wakeups while running 0, while queued 0; unseen switches 0, "
		  "outliers dropped 0\nquantiles err upwards by at most 3.1 %\n");
}

}  // namespace
}  // namespace punctual
