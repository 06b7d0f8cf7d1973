// SPDX-License-Identifier: GPL-2.0-only
#include "view/table.h"

#include <gtest/gtest.h>

#include "tests/unit/xml_check.h"

namespace punctual {
namespace {

Table sample()
{
	return {
	    {{"arm", false}, {"p99 us"}, {"drop %"}},
	    {{{{"eevdf"}, {"4131", Tone::bad}, {"11.9", Tone::bad}}}, {{{"scx_latency=60us"}, {"49.3"}, {"0"}}, true}}};
}

TEST(Table, TextAlignsNumbersUnderTheirUnits)
{
	EXPECT_EQ(table_text(sample()),
		  "arm               p99 us  drop %\n"
		  "eevdf               4131    11.9\n"
		  "scx_latency=60us    49.3       0\n");
}

TEST(Table, WideAndHostileNamesKeepTheColumnsStraight)
{
	Table table{{{"name", false}, {"n"}, {"note", false}},
		    {{{{"数据"}, {"1"}, {"x"}}}, {{{"\x1b[2J"}, {"22"}}}, {{{"Grüße"}, {"3"}, {""}}}}};
	EXPECT_EQ(table_text(table),
		  "name      n  note\n"
		  "数据      1  x\n"
		  "\\x1b[2J  22\n"
		  "Grüße     3\n");
}

TEST(Table, MarkupIsWellFormedAndEscaped)
{
	Table table = sample();
	table.rows[0].cells[0] = {"</td><script>alert(1)</script>", Tone::plain, 3};
	std::string html = table_markup(table).html;
	EXPECT_EQ(XmlCheck::fault(html), "");
	EXPECT_EQ(html.find("<script"), std::string::npos);
	EXPECT_NE(html.find("<td class=\"bad n\">4131</td>"), std::string::npos);
	EXPECT_NE(html.find("<tr class=\"strong\"><th scope=\"row\">scx_latency=60us</th>"), std::string::npos);
}

TEST(Table, SurplusCellsAreNotShown)
{
	Table table{{{"a", false}}, {{{{"1"}, {"2"}}}}};
	EXPECT_EQ(table_text(table), "a\n1\n");
	EXPECT_EQ(table_markup(table).html.find('2'), std::string::npos);
}

}  // namespace
}  // namespace punctual
