// SPDX-License-Identifier: GPL-2.0-only
// Characters beyond ASCII: where they may stand they are kept, and nowhere else do they reach the library.
#include "base/toml_document.h"

#include <string>

#include <gtest/gtest.h>

namespace punctual {
namespace {

std::string refusal(std::string_view text)
{
	const auto table = parse_toml(text, "a.toml");
	if (table)
		return "taken";
	EXPECT_EQ(table.error().code, ExitCode::usage) << text;
	return table.error().what;
}

// What `key` is; the refusal where the text is none.
std::string value_of(std::string_view text)
{
	const auto table = parse_toml(text, "a.toml");
	return table ? std::string((*table)["key"].value_or("no text")) : table.error().what;
}

TEST(TomlDocument, DoubleQuotesKeepEveryCharacter)
{
	EXPECT_EQ(value_of("key = \"caf\u00e9 \u024c \u3000 \U0001f600 \u00e9\""),
		  "caf\u00e9 \u024c \u3000 \U0001f600 \u00e9");
	EXPECT_EQ(value_of("key = \"\\\"\u00e9\\\\\""), "\"\u00e9\\");
	EXPECT_EQ(value_of("key = \"\"\"\n\u00e9 \"\u024c\"\"\"\"\n"), "\u00e9 \"\u024c\"");
	EXPECT_EQ(value_of("\"\u024c\" = 1\nkey = \"\" # \u024c"), "");
}

TEST(TomlDocument, CommentsMayHaveThem)
{
	EXPECT_EQ(value_of("# \u024c 'it\u2019s \"\nkey = 'a' # \u3000\n# \u00e9"), "a");
	EXPECT_EQ(value_of("\xef\xbb\xbfkey = '#' # \u024c"), "#");
}

// U+00E9 and U+024C are among those for which the library is not defined.
TEST(TomlDocument, ElsewhereTheyAreRefusedWithTheirLine)
{
	for (const char* text : {"\n\u00e9 = 1", "\nkey = \u024c", "\nkey = 1\u00e9", "\nkey = 1 \u3000", "\n[\u024c]",
				 "\n'\u024c' = 1", "\nkey = '\u024c'", "'''\n\u024c", "\nkey = \"a\" \u024c",
				 "\nkey = \"\\\u024c\"", "\"\n\u024c", "# a\n\u024c", "key = '''a'''''\n\u024c"})
		EXPECT_TRUE(refusal(text).starts_with("a.toml:2: U+")) << text << refusal(text);
}

// A mistake before the quote: the library looks for the end of the value through the quotes.
TEST(TomlDocument, QuotesBehindAMistakeDoNotReachTheLibraryEither)
{
	for (const char* text :
	     {"key = x\"\u024c\"", "key = 1\"\u00e9\"", "key = \"a\"\"\u024c\"", "key = 2020-01-01\"\u3000\""})
		EXPECT_TRUE(refusal(text).starts_with("a.toml:1: ")) << text << refusal(text);
}

TEST(TomlDocument, WhatIsNoUtf8IsRefusedEverywhere)
{
	for (const char* text : {"\n# \xff", "\nkey = \"\xc3\"", "\n# \xed\xa0\x80", "\n\xc0\xaf", "\nkey = '\x80'"})
		EXPECT_TRUE(refusal(text).starts_with("a.toml:2: a byte that is no UTF-8")) << text << refusal(text);
}

}  // namespace
}  // namespace punctual
