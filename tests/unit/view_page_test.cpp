// SPDX-License-Identifier: GPL-2.0-only
#include "view/html_page.h"

#include <gtest/gtest.h>

#include "tests/unit/xml_check.h"
#include "view/bench_page.h"
#include "view/figure.h"

namespace punctual {
namespace {

constexpr const char* kHostile = "</style></title><script src=x onerror=alert(1)>&\"'\x1b[31m\xff";

Histogram waits(u64 body_ns, u64 tail_ns)
{
	Histogram histogram;
	histogram.record(body_ns, 58'000);
	histogram.record(tail_ns, 1000);
	return histogram;
}

BenchReport hostile_report()
{
	BenchReport report;
	for (u64 arm = 0; arm < 3; ++arm)
		report.rows.push_back({kHostile, waits(8000, 4'000'000 >> (5 * arm)), 60'000, 1000 - 500 * arm,
				       1'000'000'000, 100.0 + static_cast<double>(arm), 3000, 240'000'000, 730'000'000,
				       13'000, arm == 2 ? 60'000u : 0u, arm == 1 ? kHostile : ""});
	report.load = {{kHostile, kHostile}};
	report.environment = {{kHostile, kHostile}};
	report.sections.push_back({kHostile, {kHostile}, {}, {}, {}, {}});
	report.notes = {kHostile};
	report.command = kHostile;
	return report;
}

// Elements that HTML leaves open, and the doctype, made XML for the checker.
std::string as_xml(std::string html)
{
	html.erase(0, html.find("<html"));
	for (size_t at = html.find("<meta"); at != std::string::npos; at = html.find("<meta", at + 1))
		html.insert(html.find('>', at), "/");
	return html;
}

TEST(HtmlPage, IsWellFormedWhateverTheNames)
{
	EXPECT_EQ(XmlCheck::fault(as_xml(bench_html(hostile_report()))), "");
}

TEST(HtmlPage, NeedsNoNetworkAndNoScript)
{
	std::string html = bench_html(hostile_report());
	for (const char* forbidden : {"<script", "http:", "https:", "//", "@import", "url(", "<link", "<img", "<iframe",
				      "javascript:", " style=\"", "<a "})
		EXPECT_EQ(html.find(forbidden), std::string::npos) << forbidden;
	EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(HtmlPage, HostileNamesStayText)
{
	std::string html = bench_html(hostile_report());
	EXPECT_EQ(html.find('\x1b'), std::string::npos);
	EXPECT_EQ(html.find('\xff'), std::string::npos);
	EXPECT_NE(html.find("&lt;/style&gt;&lt;/title&gt;&lt;script"), std::string::npos);
	size_t ends = 0;
	for (size_t at = html.find("</style>"); at != std::string::npos; at = html.find("</style>", at + 1))
		++ends;
	EXPECT_EQ(ends, 1u);
}

TEST(HtmlPage, NumberAndUnitStayOnOneLine)
{
	Page page;
	page.headline = "99 % within 49.3 us, us all, 5 users";
	EXPECT_NE(html_page(page).find("<h1>99\u00a0% within 49.3\u00a0us, us all, 5 users</h1>"), std::string::npos);
}

TEST(HtmlPage, FollowsLightDarkNarrowAndPrint)
{
	std::string html = html_page({});
	for (const char* needed :
	     {"prefers-color-scheme:dark", "width=device-width", "@media (max-width:", "@media print"})
		EXPECT_NE(html.find(needed), std::string::npos) << needed;
}

TEST(BenchText, IsCleanForTheTerminal)
{
	for (char c : bench_text(hostile_report()))
		EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
}

TEST(BenchText, WithoutArmsSaysSo)
{
	EXPECT_EQ(bench_text({}), "no arms\n");
	EXPECT_NE(bench_html({}).find("No arms were run."), std::string::npos);
}

}  // namespace
}  // namespace punctual
