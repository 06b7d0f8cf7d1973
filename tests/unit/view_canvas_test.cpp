// SPDX-License-Identifier: GPL-2.0-only
#include "view/canvas.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

TEST(Canvas, TextIsClippedAtAllFourEdges)
{
	Canvas canvas(4, 2);
	canvas.put(-2, 0, "abcdefgh");
	canvas.put(3, 1, "xyz");
	canvas.put(0, -1, "above");
	canvas.put(0, 2, "below");
	EXPECT_EQ(canvas.text(), "cdef\n   x\n");
}

TEST(Canvas, WidthIsABoundAndTheColumnsTakenAreTold)
{
	Canvas canvas(10, 1);
	EXPECT_EQ(canvas.put(0, 0, "abcdef", {}, 3), 3);
	EXPECT_EQ(canvas.text(), "abc\n");
	canvas.put_right(4, 0, 5, "12");
	EXPECT_EQ(canvas.text(), "abc    12\n");
	canvas.put_right(4, 0, 3, "12345");
	EXPECT_EQ(canvas.text(), "abc 12312\n");
}

TEST(Canvas, EscapesAndControlsAreShownNotObeyed)
{
	Canvas canvas(40, 1);
	canvas.put(0, 0,
		   "\x1b[2J\a\n\xc2\x9b"
		   "31m\xe2\x80\xae");
	EXPECT_EQ(canvas.text(), "\\x1b[2J\\x07\\x0a\\x9b31m\\u{202e}\n");
	for (int x = 0; x < canvas.width(); x++)
		for (const char byte : canvas.at(x, 0).text)
			EXPECT_GE(static_cast<unsigned char>(byte), 0x20);
}

TEST(Canvas, HalfCharactersBecomeWhatTheyAre)
{
	Canvas canvas(20, 1);
	canvas.put(0, 0, "a\xe6\x95");
	EXPECT_EQ(canvas.text(), "a\\xe6\\x95\n");
}

TEST(Canvas, WideCharacterTakesTwoCellsAndIsNeverCutInHalf)
{
	Canvas canvas(5, 1);
	EXPECT_EQ(canvas.put(0, 0, "数据"), 4);
	EXPECT_EQ(canvas.at(1, 0).text, "");
	EXPECT_EQ(canvas.put(3, 0, "数"), 2);  // over the second half of the one before
	EXPECT_EQ(canvas.text(), "数 数\n");
	canvas.put(4, 0, "据");  // its second half would be outside
	EXPECT_EQ(canvas.text(), "数\n");
	EXPECT_EQ(canvas.put(0, 0, "据据", {}, 3), 2);
}

TEST(Canvas, OverwritingTheFirstHalfBlanksTheSecond)
{
	Canvas canvas(4, 1);
	canvas.put(0, 0, "数据");
	canvas.put(0, 0, "x");
	EXPECT_EQ(canvas.text(), "x 据\n");
	EXPECT_EQ(canvas.at(1, 0).text, " ");
}

TEST(Canvas, MarksStayOnTheirCharacterAndHaveABound)
{
	Canvas canvas(4, 1);
	std::string pile = "e";
	for (int i = 0; i < 100; i++)
		pile += "\xcc\x81";
	EXPECT_EQ(canvas.put(0, 0, "\xcc\x81" + pile + "x"), 2);
	EXPECT_EQ(canvas.text(), "e\xcc\x81\xcc\x81x\n");
}

TEST(Canvas, LookBelongsToTheCellsOfTheText)
{
	Canvas canvas(6, 1);
	canvas.put(1, 0, "数", {Ink::bad, true, false});
	EXPECT_EQ(canvas.at(0, 0).look, Look{});
	EXPECT_EQ(canvas.at(2, 0).look, (Look{Ink::bad, true, false}));
	canvas.tint(-3, 0, 100, {Ink::good});
	EXPECT_EQ(canvas.at(5, 0).look, Look{Ink::good});
	EXPECT_EQ(canvas.text(), " 数\n");
}

TEST(Canvas, SizesBelowZeroAreEmpty)
{
	Canvas canvas(-3, 2);
	canvas.put(0, 0, "a");
	EXPECT_EQ(canvas.text(), "\n\n");
}

}  // namespace
}  // namespace punctual
