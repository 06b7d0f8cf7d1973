// SPDX-License-Identifier: GPL-2.0-only
#include "view/waits_page.h"

#include <gtest/gtest.h>

#include "tests/unit/simulated_waits.h"
#include "tests/unit/xml_check.h"
#include "view/heat_map.h"

namespace punctual {
namespace {

constexpr const char* kHostile = "</style></title></svg><script>alert(1)</script>&\"'\x1b[31m\xff\n\u202e";

WaitsPart simulated_part(const std::string& name)
{
	SimulatedMachine machine(1, 4);
	WaitsPart part;
	part.name = name;
	part.start_ns = SimulatedMachine::kStartNs;
	part.column_ns = SimulatedWaits::kWindowNs;
	WaitSnapshot before;
	for (u32 i = 0; i < 30; i++) {
		part.total = machine.step();
		part.columns.push_back(waits_between(before, part.total).all());
		before = part.total;
	}
	part.end_ns = part.total.at_ns;
	part.outliers = {{part.start_ns + 1'500'000'000,
			  900'000,
			  WaitKind::preempted,
			  1,
			  42,
			  name,
			  7,
			  {{43, name, 1, 500'000}, {44, name, kUnknownCulprit, 5}}}};
	part.nr_outliers = 1;
	part.marks = {{part.start_ns + 1'000'000'000, name}};
	part.environment = {{name, name}};
	return part;
}

WaitsPart hostile_part()
{
	WaitsPart part = simulated_part(kHostile);
	for (CgroupWaits& cgroup : part.total.cgroups)
		cgroup.path = kHostile;
	part.total.open.comm = kHostile;
	part.warning = kHostile;
	return part;
}

// Elements that HTML leaves open, and the doctype, made XML for the checker.
std::string as_xml(std::string html)
{
	html.erase(0, html.find("<html"));
	for (size_t at = html.find("<meta"); at != std::string::npos; at = html.find("<meta", at + 1))
		html.insert(html.find('>', at), "/");
	return html;
}

size_t occurrences(const std::string& text, const std::string& word)
{
	size_t nr = 0;
	for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
		nr++;
	return nr;
}

TEST(WaitsPage, IsWellFormedWhateverTheNames)
{
	EXPECT_EQ(XmlCheck::fault(as_xml(waits_html({simulated_part("a")}))), "");
	EXPECT_EQ(XmlCheck::fault(as_xml(waits_html({hostile_part(), hostile_part()}))), "");
	EXPECT_EQ(XmlCheck::fault(as_xml(waits_html({WaitsPart()}))), "");
	EXPECT_EQ(XmlCheck::fault(as_xml(waits_html({}))), "");
}

TEST(WaitsPage, NeedsNoNetworkAndNoScript)
{
	const std::string html = waits_html({hostile_part()});
	for (const char* forbidden : {"<script", "http:", "https:", "//", "@import", "url(", "<link", "<img", "<iframe",
				      "javascript:", " style=\"", "<a "})
		EXPECT_EQ(html.find(forbidden), std::string::npos) << forbidden;
	EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
	EXPECT_NE(html.find("prefers-color-scheme:dark"), std::string::npos);
}

TEST(WaitsPage, HostileNamesStayText)
{
	const std::string html = waits_html({hostile_part()});
	EXPECT_EQ(html.find('\x1b'), std::string::npos);
	EXPECT_EQ(html.find('\xff'), std::string::npos);
	EXPECT_EQ(occurrences(html, "</style>"), 1u);
	EXPECT_EQ(occurrences(html, "</title>"), 1 + occurrences(html, "<svg")) << "the page's and each figure's";
}

TEST(WaitsPage, SaysWhoWaitedForWhom)
{
	const std::string html = waits_html({simulated_part("name")});
	EXPECT_NE(html.find("/vnf.slice"), std::string::npos);
	EXPECT_NE(html.find("(unknown)"), std::string::npos);
	EXPECT_NE(html.find("name (/) 500 us, name ((unknown)) 0.005 us"), std::string::npos);
}

TEST(WaitsPage, EveryFigureHasItsNumbersInATable)
{
	const std::string html = waits_html({simulated_part("a"), simulated_part("b")});
	EXPECT_EQ(occurrences(html, "<svg"), 1u + 2 * 3) << "percentiles once; each: time, CPUs twice";
	EXPECT_EQ(occurrences(html, "<table"), 1u + 2 * 6);
}

TEST(WaitsPage, LossesAreSaid)
{
	WaitsPart part = simulated_part("a");
	part.total.losses.lost = 1234567;
	part.warning = "it was cut";
	const std::string html = waits_html({part});
	EXPECT_NE(html.find("1,234,567 lost"), std::string::npos);
	EXPECT_NE(html.find("a: it was cut."), std::string::npos);
}

TEST(HeatMap, IsSoundForAnything)
{
	WaitCounts extremes, one;
	extremes.record(0);
	extremes.record(~0ULL, 1'000'000);
	one.record(5000);
	for (const std::vector<WaitCounts>& columns :
	     {std::vector<WaitCounts>(), {WaitCounts()}, {one}, {extremes, WaitCounts(), one}})
		for (u64 length_ns : {u64{0}, u64{1}, u64{3'000'000'000}, ~u64{0}}) {
			const HeatMap map{kHostile, columns, 1'000'000'000, length_ns, {{5, kHostile}, {~0ULL, "x"}},
					  9};
			const std::string svg = heat_map(map).html;
			EXPECT_EQ(XmlCheck::fault(svg), "");
			EXPECT_EQ(svg.find("nan"), std::string::npos);
			EXPECT_EQ(svg.find("inf"), std::string::npos);
		}
}

TEST(HeatMap, RareLongWaitHasACellOfItsOwn)
{
	WaitCounts most, rare;
	most.record(5000, 1'000'000);
	rare.record(5000, 1'000'000);
	rare.record(9'000'000);
	const std::string svg = heat_map({"", {most, rare}, 1'000'000'000, 2'000'000'000, {}}).html;
	EXPECT_NE(svg.find("heat h0"), std::string::npos) << "the faintest shade: one wait";
	EXPECT_NE(svg.find("heat h7"), std::string::npos) << "the darkest: a million";
}

TEST(HeatMap, ChangesOfTheSchedulerAreMarked)
{
	const HeatMap map{"", {WaitCounts()}, 1'000'000'000, 1'000'000'000, {{500'000'000, "scx_latency"}}};
	EXPECT_NE(heat_map(map).html.find("class=\"mark\" x1=\"473\""), std::string::npos) << heat_map(map).html;
	EXPECT_NE(heat_map(map).html.find("At 0.5 s: scx_latency."), std::string::npos);
}

}  // namespace
}  // namespace punctual
