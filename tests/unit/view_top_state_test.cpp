// SPDX-License-Identifier: GPL-2.0-only
#include "view/top_state.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

Key key(char32_t character)
{
	return {Key::Name::character, character};
}

// `keys` one after the other, each on a screen of 20 rows of which 10 fit.
TopState after(std::u32string_view keys, TopState state = {})
{
	state.seen = {20, 10, 5, {}};
	for (const char32_t character : keys)
		state = next_state(state, key(character));
	return state;
}

TEST(TopState, LettersChooseTheView)
{
	EXPECT_EQ(after(U"c").view, TopView::cgroups);
	EXPECT_EQ(after(U"t").view, TopView::tasks);
	EXPECT_EQ(after(U"m").view, TopView::culprits);
	EXPECT_EQ(after(U"mu").view, TopView::cpus);
}

TEST(TopState, TabGoesRoundBothWays)
{
	TopState state;
	for (const TopView view : {TopView::cgroups, TopView::tasks, TopView::culprits, TopView::cpus}) {
		state = next_state(state, {Key::Name::tab});
		EXPECT_EQ(state.view, view);
	}
	EXPECT_EQ(next_state(state, {Key::Name::back_tab}).view, TopView::culprits);
}

TEST(TopState, QuitIsQAndEscape)
{
	EXPECT_TRUE(after(U"q").quit);
	EXPECT_TRUE(next_state({}, {Key::Name::escape}).quit);
	EXPECT_FALSE(after(U"xyz").quit);
}

TEST(TopState, AnyKeyClosesTheHelpAndDoesNothingElse)
{
	EXPECT_TRUE(after(U"?").shows_help);
	EXPECT_EQ(after(U"?c"), after(U""));
	EXPECT_FALSE(next_state(after(U"?"), {Key::Name::escape}).quit);
	EXPECT_TRUE(after(U"?q").quit);
}

TEST(TopState, CursorStaysAmongTheRows)
{
	EXPECT_EQ(after(U"jjjkj").place().cursor, 3);
	EXPECT_EQ(after(U"kk").place().cursor, 0);
	EXPECT_EQ(next_state(after(U"jjj"), {Key::Name::end}).place().cursor, 19);
	EXPECT_EQ(next_state(after(U"jjj"), {Key::Name::home}).place().cursor, 0);
	EXPECT_EQ(next_state(after(U"j"), {Key::Name::page_down}).place().cursor, 11);
	TopState empty;
	EXPECT_EQ(next_state(empty, {Key::Name::end}).place().cursor, 0);
	EXPECT_EQ(next_state(empty, {Key::Name::down}).place().cursor, 0);
}

TEST(TopState, EachViewKeepsItsPlace)
{
	const TopState state = after(U"jjjcjsu");
	EXPECT_EQ(state.place().cursor, 3);
	EXPECT_EQ(state.places[1].cursor, 1);
	EXPECT_EQ(state.places[1].sort, 4U);
	EXPECT_EQ(state.place().sort, 0U);
}

TEST(TopState, SortGoesThroughTheColumnsAndRound)
{
	EXPECT_EQ(after(U"ss").place().sort, 2U);
	EXPECT_EQ(after(U"sssss").place().sort, 0U);
	EXPECT_TRUE(after(U"sS").place().is_reversed);
	EXPECT_FALSE(after(U"Ss").place().is_reversed);
}

TEST(TopState, FilterTakesCommandsAsText)
{
	const TopState state = after(U"/q?c");
	EXPECT_EQ(state.filter, "q?c");
	EXPECT_FALSE(state.quit);
	EXPECT_EQ(state.view, TopView::cpus);
	const TopState kept = next_state(state, {Key::Name::enter});
	EXPECT_FALSE(kept.is_typing);
	EXPECT_EQ(kept.filter, "q?c");
	EXPECT_EQ(next_state(state, {Key::Name::escape}).filter, "");
	EXPECT_FALSE(next_state(state, {Key::Name::escape}).quit);
}

TEST(TopState, FilterIsUtf8AndBackspaceTakesAWholeCharacter)
{
	TopState state = after(U"/aé数😀");
	EXPECT_EQ(state.filter, "aé数😀");
	for (const char* left : {"aé数", "aé", "a", "", ""}) {
		state = next_state(state, {Key::Name::backspace});
		EXPECT_EQ(state.filter, left);
	}
}

TEST(TopState, FilterHasABoundAndNoControls)
{
	EXPECT_LE(after(U"/" + std::u32string(1000, U'数')).filter.size(), TopState::kFilterBytesMax);
	EXPECT_EQ(after(U"/\x1b\x07\n").filter, "");
}

TEST(TopState, FilterStartsAtTheFirstRow)
{
	EXPECT_EQ(after(U"jjjj/a").place().cursor, 0);
}

TEST(TopState, SidewaysOpensACacheOrMovesColumns)
{
	EXPECT_EQ(after(U"lll").place().first_column, 3);
	EXPECT_EQ(after(U"lhh").place().first_column, 0);
	TopState on_cache;
	on_cache.seen = {20, 10, 5, 7};
	const TopState open = next_state(on_cache, {Key::Name::right});
	EXPECT_EQ(open.open_caches, std::set<u32>{7});
	EXPECT_EQ(open.place().first_column, 0);
	EXPECT_TRUE(next_state(open, {Key::Name::left}).open_caches.empty());
	EXPECT_TRUE(next_state(open, {Key::Name::enter}).open_caches.empty());
	EXPECT_EQ(next_state(on_cache, {Key::Name::enter}).open_caches, std::set<u32>{7});
}

TEST(TopState, IntervalHasEnds)
{
	EXPECT_EQ(after(U"+").interval_ns, 2000000000U);
	EXPECT_EQ(after(U"-").interval_ns, 500000000U);
	EXPECT_EQ(after(U"--------------").interval_ns, 100000000U);
	EXPECT_EQ(after(U"++++++++++++++").interval_ns, 60000000000U);
}

TEST(TopState, ResetMeasuresFromNowAndThaws)
{
	const TopState state = after(U"fr");
	EXPECT_TRUE(state.since_reset);
	EXPECT_EQ(state.nr_resets, 1U);
	EXPECT_FALSE(state.is_frozen);
	EXPECT_FALSE(after(U"ri").since_reset);
	EXPECT_TRUE(after(U"f").is_frozen);
	EXPECT_FALSE(after(U"ff").is_frozen);
}

TEST(TopState, WritingIsAskedForAndTheMessageGoesWithTheNextKey)
{
	TopState state = after(U"w");
	EXPECT_EQ(state.nr_writes, 1U);
	state.message = "written";
	EXPECT_EQ(next_state(state, key(U'j')).message, "");
}

}  // namespace
}  // namespace punctual
