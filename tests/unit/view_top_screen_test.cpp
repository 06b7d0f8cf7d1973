// SPDX-License-Identifier: GPL-2.0-only
// The screens of `punctual top` against tests/golden/top/*.txt. PUNCTUAL_GOLDEN_WRITE=1 writes those files anew:
// look at the difference before committing it.
#include "view/top_screen.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/unit/top_facts.h"
#include "view/text.h"

namespace punctual {
namespace {

Canvas drawn(const TopState& state, const TopFacts& facts, int width, int height)
{
	return top_screen(fitted(state, facts, width, height), facts, width, height);
}

// "" when the screen is the one in the file.
std::string difference(const std::string& name, const std::string& screen)
{
	const std::string path = std::string(PUNCTUAL_SOURCE_DIR) + "/tests/golden/top/" + name + ".txt";
	if (std::getenv("PUNCTUAL_GOLDEN_WRITE") != nullptr) {
		const Status written = replace_file(path, screen);
		return written ? "" : written.error().what;
	}
	const Result<std::string> golden = read_file(path);
	if (!golden)
		return golden.error().what;
	return *golden == screen ? "" : name + " is\n" + screen + "and not\n" + *golden;
}

TopState viewing(TopView view)
{
	TopState state;
	state.view = view;
	return state;
}

TopFacts hostile_facts()
{
	TopFacts facts = small_facts();
	facts.scheduler.name = "evil\x1b]0;title\a";
	facts.waits.open.comm = "\x1b[31mred\n";
	facts.waits.cgroups[1].path =
	    "/\x1b[2J\xe2\x80\xae"
	    "drawkcab/数据数据数据数据数据数据.slice";
	facts.waits.cgroups[2].path = "/half\xe6\x95/e\xcc\x81\xcc\x81\xcc\x81\xcc\x81.service";
	facts.waits.cgroups[3].path = std::string(4000, 'x');
	facts.waits.tasks[0].comm = "\xff\xfe\x01\x7f";
	facts.waits.tasks[1].comm = std::string("nul\0in", 6);
	facts.waits.tasks[2].comm = "据据据据据";
	return facts;
}

TEST(TopScreen, SmallMachine)
{
	EXPECT_EQ(difference("cpus-4", drawn({}, small_facts(), 80, 24).text()), "");
	EXPECT_EQ(difference("cgroups", drawn(viewing(TopView::cgroups), small_facts(), 80, 24).text()), "");
	EXPECT_EQ(difference("tasks", drawn(viewing(TopView::tasks), small_facts(), 80, 24).text()), "");
}

TEST(TopScreen, CulpritMatrix)
{
	EXPECT_EQ(difference("culprits", drawn(viewing(TopView::culprits), small_facts(), 80, 24).text()), "");
	EXPECT_EQ(difference("culprits-wide", drawn(viewing(TopView::culprits), small_facts(), 120, 24).text()), "");
}

TEST(TopScreen, BigMachineStandsByCache)
{
	TopState state;
	state.open_caches = {1};
	state.place().cursor = 3;
	EXPECT_EQ(difference("cpus-1024", drawn(state, facts_of_cpus(1024, 32), 120, 40).text()), "");
}

TEST(TopScreen, LargestTerminal)
{
	TopState state;
	for (u32 cache = 0; cache < 32; cache++)
		state.open_caches.insert(cache);
	state.place().cursor = 500;
	EXPECT_EQ(difference("cpus-1024-300x100", drawn(state, facts_of_cpus(1024, 32), 300, 100).text()), "");
}

TEST(TopScreen, HostileNames)
{
	EXPECT_EQ(difference("hostile-cgroups", drawn(viewing(TopView::cgroups), hostile_facts(), 80, 24).text()), "");
	EXPECT_EQ(difference("hostile-tasks", drawn(viewing(TopView::tasks), hostile_facts(), 80, 24).text()), "");
	EXPECT_EQ(difference("hostile-culprits", drawn(viewing(TopView::culprits), hostile_facts(), 80, 24).text()),
		  "");
}

TEST(TopScreen, HelpAndFilter)
{
	TopState state;
	state.shows_help = true;
	EXPECT_EQ(difference("help", drawn(state, small_facts(), 80, 24).text()), "");
	state = viewing(TopView::cgroups);
	state.filter = "SLICE";
	state.is_typing = true;
	EXPECT_EQ(difference("filter", drawn(state, small_facts(), 80, 24).text()), "");
}

TEST(TopScreen, NoCellHoldsAControlWhateverTheNames)
{
	for (u32 view = 0; view < kTopViews; view++) {
		const Canvas canvas = drawn(viewing(static_cast<TopView>(view)), hostile_facts(), 120, 30);
		for (int y = 0; y < canvas.height(); y++)
			for (int x = 0; x < canvas.width(); x++)
				EXPECT_EQ(clean_text(canvas.at(x, y).text), canvas.at(x, y).text);
	}
}

TEST(TopScreen, EveryLineFitsTheTerminal)
{
	for (u32 view = 0; view < kTopViews; view++)
		for (const int width : {80, 81, 100, 133, 300, 400}) {
			const Canvas canvas = drawn(viewing(static_cast<TopView>(view)), hostile_facts(), width, 24);
			EXPECT_EQ(canvas.width(), std::min(width, kTopWidthMax));
			EXPECT_EQ(canvas.height(), 24);
		}
}

TEST(TopScreen, TooSmallTerminalIsToldItsSize)
{
	for (const auto& [width, height] : {std::pair(79, 24), std::pair(80, 23)}) {
		const std::string text = drawn({}, small_facts(), width, height).text();
		EXPECT_NE(text.find("needs 80 x 24"), std::string::npos);
		EXPECT_NE(text.find(std::to_string(width) + " x " + std::to_string(height)), std::string::npos);
	}
	EXPECT_EQ(drawn({}, small_facts(), 0, 0).text(), "");
	EXPECT_EQ(drawn({}, small_facts(), 3, 1).text(), "pun\n");
}

TEST(TopScreen, NothingCountedIsSaid)
{
	for (u32 view = 0; view < kTopViews; view++) {
		const std::string text = drawn(viewing(static_cast<TopView>(view)), {}, 80, 24).text();
		EXPECT_TRUE(text.find("no waits") != std::string::npos || text.find("no task") != std::string::npos ||
			    text.find("nobody") != std::string::npos)
		    << text;
		EXPECT_NE(text.find("losses     lost 0"), std::string::npos);
	}
	TopState state;
	state.filter = "nosuchname";
	EXPECT_NE(drawn(state, small_facts(), 80, 24).text().find("no row has the filter"), std::string::npos);
}

TEST(TopScreen, CursorIsAlwaysOnTheScreenAndAmongTheRows)
{
	const TopFacts facts = facts_of_cpus(30, 30);
	TopState state;
	for (const int cursor : {0, 29, 1000, -5, 12}) {
		state.place().cursor = cursor;
		state = fitted(state, facts, 80, 24);
		EXPECT_GE(state.place().cursor, state.place().first_row);
		EXPECT_LT(state.place().cursor, state.place().first_row + state.seen.page_rows);
		EXPECT_LT(state.place().cursor, 30);
	}
	state.place().cursor = 29;
	state = fitted(fitted(state, facts, 80, 24), facts_of_cpus(2, 2), 80, 24);
	EXPECT_EQ(state.place().cursor, 1);
	EXPECT_EQ(state.place().first_row, 0);
}

TEST(TopScreen, ColumnsScrollSidewaysToTheLastAndNoFurther)
{
	TopState state = viewing(TopView::culprits);
	state.place().first_column = 1000;
	state = fitted(state, small_facts(), 80, 24);
	EXPECT_GT(state.place().first_column, 0);
	EXPECT_NE(top_screen(state, small_facts(), 80, 24).text().find("(unknown)"), std::string::npos);
	EXPECT_EQ(fitted(state, small_facts(), 300, 24).place().first_column, 0);
}

TEST(TopScreen, FilterFindsACpuInAClosedCache)
{
	TopState state;
	state.filter = "cpu 777";
	EXPECT_NE(drawn(state, facts_of_cpus(1024, 32), 80, 24).text().find("\ncpu 777 "), std::string::npos);
}

TEST(TopScreen, CursorOnACacheIsSeenByTheKeys)
{
	TopState state;
	state.place().cursor = 2;
	EXPECT_EQ(fitted(state, facts_of_cpus(64, 8), 80, 24).seen.cache, 2U);
	EXPECT_FALSE(fitted(state, facts_of_cpus(32, 8), 80, 24).seen.cache.has_value());
}

TEST(TopScreen, MaximumIsOfTheWindow)
{
	TopFacts facts = facts_of_cpus(1, 1);
	WaitCounts before = counted(0, 0);
	before.record(900000 * kUs);
	WaitCounts after = before;
	after.record(10 * kUs);
	facts.waits.cpus[0].kinds = {after.since(before), WaitCounts(), WaitCounts()};
	EXPECT_NE(drawn({}, facts, 80, 24).text().find("max 10.3 us"), std::string::npos)
	    << drawn({}, facts, 80, 24).text();
}

TEST(TopScreen, EjectionIsToldFromAnUnload)
{
	TopFacts facts = small_facts();
	facts.scheduler.name = "";
	facts.scheduler.last_end = {"scx_latency", "runnable task stall", true};
	EXPECT_NE(drawn({}, facts, 120, 24).text().find("since scx_latency was EJECTED (runnable task stall)"),
		  std::string::npos);
	facts.scheduler.last_end->is_ejection = false;
	EXPECT_NE(drawn({}, facts, 120, 24).text().find("since scx_latency was unloaded ("), std::string::npos);
	facts.scheduler.name = "scx_simple";  // which has come since
	EXPECT_EQ(drawn({}, facts, 120, 24).text().find("scx_latency"), std::string::npos);
}

TEST(TopScreen, LostEventsAndAChangedSchedulerStandOut)
{
	TopFacts facts = small_facts();
	facts.losses.lost = 7;
	facts.scheduler.has_changed = true;
	const Canvas canvas = drawn({}, facts, 80, 24);
	EXPECT_EQ(canvas.at(11, 4).look.ink, Ink::bad);
	EXPECT_EQ(canvas.at(11, 1).look.ink, Ink::bad);
	EXPECT_NE(canvas.text().find("CHANGED"), std::string::npos);
}

TEST(TopScreen, KernelsOwnSchedulerIsNamed)
{
	TopFacts facts = small_facts();
	facts.scheduler = {};
	EXPECT_NE(drawn({}, facts, 80, 24).text().find("EEVDF (this kernel has no sched_ext)"), std::string::npos);
	facts.scheduler.has_sched_ext = true;
	facts.scheduler.enable_seq = 1;
	EXPECT_NE(drawn({}, facts, 80, 24).text().find("EEVDF; loads since boot 1"), std::string::npos);
}

TEST(TopScreen, LongWaitsAndManyOfThemFitTheirColumns)
{
	TopFacts facts = small_facts();
	for (CgroupWaits& cgroup : facts.waits.cgroups) {
		cgroup.waits = {};
		cgroup.waits.record(68000000000, 100000);
		cgroup.throttling = {1000, 999, 999999999};
	}
	facts.waits.cpus[0].kinds[0].record(1551750000, 4000000000);
	facts.waits.tasks[0].waits = {~0U, 1ULL << 50, 80000000000000};
	for (u32 view = 0; view < kTopViews; view++) {
		const std::string text = drawn(viewing(static_cast<TopView>(view)), facts, 300, 24).text();
		EXPECT_EQ(text.find('#'), std::string::npos) << text;
	}
	EXPECT_NE(drawn({}, facts, 80, 24).text().find("1.552s"), std::string::npos) << drawn({}, facts, 80, 24).text();
}

}  // namespace
}  // namespace punctual
