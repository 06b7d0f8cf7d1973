// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <gtest/gtest.h>

#include <random>

namespace punctual {
namespace {

TEST(Text, OrdinaryTextPassesUnchanged)
{
	for (const char* text : {"", "nginx: worker", "Grüße", "数据平面", "µs → ms", "a & b < c"})
		EXPECT_EQ(clean_text(text), text);
}

TEST(Text, TerminalEscapesAreShownNotObeyed)
{
	EXPECT_EQ(clean_text("\x1b[31mred\x1b]0;title\x07"), "\\x1b[31mred\\x1b]0;title\\x07");
	EXPECT_EQ(clean_text("two\nlines\r\tand a tab"), "two\\x0alines\\x0d\\x09and a tab");
	EXPECT_EQ(clean_text("\xc2\x9b"
			     "31m"),
		  "\\x9b31m");  // the same escape as a single C1 character
	EXPECT_EQ(clean_text(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Text, TextCannotRunBackwardsOrHide)
{
	EXPECT_EQ(clean_text("gpj\u202eexe"), "gpj\\u{202e}exe");
	EXPECT_EQ(clean_text("a\u200bb\ufeff\u2028"), "a\\u{200b}b\\u{feff}\\u{2028}");
}

TEST(Text, BrokenUtf8IsShownByteByByte)
{
	EXPECT_EQ(clean_text("\xff"), "\\xff");
	EXPECT_EQ(clean_text("a\xc3"), "a\\xc3");                  // cut off
	EXPECT_EQ(clean_text("\xc0\xaf"), "\\xc0\\xaf");           // '/', overlong
	EXPECT_EQ(clean_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // half a surrogate pair
	EXPECT_EQ(clean_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(Text, CleanTextIsCleanWhateverComesIn)
{
	std::mt19937 random(3);
	for (int round = 0; round < 3000; ++round) {
		std::string bytes(random() % 12, ' ');
		for (char& byte : bytes)
			byte = static_cast<char>(random());
		std::string clean = clean_text(bytes);
		EXPECT_EQ(clean_text(clean), clean);  // nothing in it needs a second look
		for (char c : clean)
			EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
	}
}

TEST(Text, MarkupOfOthersIsInert)
{
	EXPECT_EQ(escape_markup("</script><b a='1' c=\"2\">&amp;"),
		  "&lt;/script&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;");
}

TEST(Text, WidthCountsColumnsNotBytes)
{
	EXPECT_EQ(text_width("abc"), 3u);
	EXPECT_EQ(text_width("Grüße"), 5u);
	EXPECT_EQ(text_width("数据"), 4u);
	EXPECT_EQ(text_width("e\u0301"), 1u);
}

TEST(Text, ShortenedFitsAndNeverCutsACharacter)
{
	EXPECT_EQ(shortened("scx_latency", 11), "scx_latency");
	EXPECT_EQ(shortened("scx_latency", 8), "scx_l...");
	EXPECT_EQ(shortened("数据平面开发套件", 10), "数据平...");
	for (size_t width = 3; width < 20; ++width)
		EXPECT_LE(text_width(shortened("数据a平e\u0301面开发套件", width)), width);
}

}  // namespace
}  // namespace punctual
