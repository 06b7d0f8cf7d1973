// SPDX-License-Identifier: GPL-2.0-only
#include "view/figure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "tests/unit/xml_check.h"
#include "view/svg.h"

namespace punctual {
namespace {

constexpr const char* kHostile = "</svg><script>&\"'\x1b[31m\xff\n\u202e";

Histogram waits(std::initializer_list<u64> values_ns)
{
	Histogram histogram;
	for (u64 value : values_ns)
		histogram.record(value);
	return histogram;
}

Histogram ramp(u64 first_ns, u64 step_ns, u64 count)
{
	Histogram histogram;
	for (u64 i = 0; i < count; ++i)
		histogram.record(first_ns + i * step_ns);
	return histogram;
}

// No coordinate may be "nan", "inf" or far outside the picture.
void expect_sound(const Markup& figure)
{
	EXPECT_EQ(XmlCheck::fault(figure.html), "") << figure.html.substr(0, 2000);
	EXPECT_NE(figure.html.find("role=\"img\""), std::string::npos);
	EXPECT_NE(figure.html.find("<title>"), std::string::npos);
	EXPECT_NE(figure.html.find("<desc>"), std::string::npos);
	EXPECT_EQ(figure.html.find("<script"), std::string::npos);
	std::regex coordinate("[ \"MHVL]((x|y|x1|y1|x2|y2|cx|cy)=\"|[MHVL])([^ \"HVL]*)");
	for (std::sregex_iterator it(figure.html.begin(), figure.html.end(), coordinate), end; it != end; ++it) {
		std::string number = (*it)[3];
		size_t read = 0;
		double value = number.empty() || number.find_first_of("0123456789") == std::string::npos
				   ? NAN
				   : std::stod(number, &read);
		EXPECT_TRUE(value >= -300 && value <= 1500) << it->str();
	}
}

TEST(PercentilePlot, IsSoundForOrdinaryAndHostileInput)
{
	Histogram body = ramp(5000, 3, 60000), few = waits({0, 1, ~0ULL}), one = waits({8000}), none;
	std::vector<PercentileLine> lines;
	for (const Histogram* histogram : {&body, &few, &one, &none})
		lines.push_back({kHostile, kHostile, histogram, static_cast<int>(lines.size()), lines.empty(), true});
	expect_sound(percentile_plot({kHostile, lines, 60'000}));
	expect_sound(percentile_plot({"nothing", {}, 0}));
	expect_sound(percentile_plot({"one", {{"one", "", &one}}, 0}));
	expect_sound(percentile_plot({"zeros", {{"zero", "", &few}}, ~0ULL}));
}

TEST(PercentilePlot, TakesManyArms)
{
	Histogram body = ramp(5000, 3, 1000);
	std::vector<PercentileLine> lines;
	for (int i = 0; i < 40; ++i)
		lines.push_back({"arm" + std::to_string(i), "", &body, i});
	Markup plot = percentile_plot({"many", lines, 0});
	expect_sound(plot);
	for (int i = 0; i < 40; ++i)
		EXPECT_NE(plot.html.find(">arm" + std::to_string(i) + "<"), std::string::npos);
}

TEST(PercentilePlot, SlowerArmIsDrawnAboveFasterOne)
{
	Histogram slow = waits({4'000'000}), fast = waits({10'000});
	std::string html = percentile_plot({"two", {{"slow", "", &slow, 0}, {"fast", "", &fast, 1}}, 0}).html;
	auto end_of = [&](int color) {
		std::smatch found;
		std::regex dot("<circle class=\"dot s" + std::to_string(color) + "[^>]*cy=\"([0-9.]+)\"");
		return std::regex_search(html, found, dot) ? std::stod(found[1]) : NAN;
	};
	EXPECT_LT(end_of(0), end_of(1));  // SVG's y grows downwards
}

TEST(PercentilePlot, LossIsMarkedByAnOpenCircle)
{
	Histogram some = waits({1000, 2000});
	EXPECT_NE(percentile_plot({"", {{"a", "", &some, 0, false, true}}, 0}).html.find("\"open "), std::string::npos);
	EXPECT_EQ(percentile_plot({"", {{"a", "", &some, 0, false, false}}, 0}).html.find("\"open "),
		  std::string::npos);
}

TEST(PercentilePlot, StaysSmallHoweverManySamples)
{
	Histogram wide;
	for (u64 value = 1; value < (1ULL << 62); value += value / 256 + 1)
		wide.record(value, value % 977 + 1);  // every bucket filled
	EXPECT_LT(percentile_plot({"", {{"a", "", &wide}}, 0}).html.size(), 40'000u);
}

TEST(BarChart, IsSoundForAnyValue)
{
	expect_sound(
	    bar_chart({kHostile, {{kHostile, NAN, kHostile}, {"b", HUGE_VAL, ""}, {"c", -3, ""}, {"d", 50, ""}}, 100}));
	expect_sound(bar_chart({"zeros", {{"a", 0, "0"}, {"b", 0, "0"}}}));
	expect_sound(bar_chart({"none", {}}));
}

TEST(BarChart, LittleIsNotNothing)
{
	std::string html = bar_chart({"", {{"a", 100, ""}, {"b", 1e-9, ""}, {"c", 0, ""}}}).html;
	std::regex bar("<rect class=\"bar");
	EXPECT_EQ(std::distance(std::sregex_iterator(html.begin(), html.end(), bar), std::sregex_iterator()), 2);
	EXPECT_NE(html.find("width=\"1\""), std::string::npos);
}

TEST(FrontierPlot, IsSoundForOrdinaryAndHostileInput)
{
	expect_sound(
	    frontier_plot({kHostile,
			   kHostile,
			   kHostile,
			   {{kHostile, 100, 4'000'000, 0, true, true}, {"b", NAN, 0}, {"c", 1e9, ~0ULL}, {"d", -1, 1}},
			   60'000}));
	expect_sound(frontier_plot({"none", "", "", {}, 0}));
	expect_sound(frontier_plot({"same", "", "", std::vector<FrontierPoint>(20, {"x", 100, 1000}), 0}));
}

TEST(FrontierPlot, FrontierLeavesOutWhatIsBeatenOrIncomplete)
{
	auto corners = [](std::vector<FrontierPoint> points) {
		std::string html = frontier_plot({"", "", "", std::move(points), 0}).html;
		std::smatch found;
		std::regex path("class=\"frontier\" d=\"([^\"]*)\"");
		if (!std::regex_search(html, found, path))
			return -1L;
		std::string commands = found[1];
		return std::count(commands.begin(), commands.end(), 'V');  // one for each point on it
	};
	FrontierPoint fast{"fast", 50, 7000}, frugal{"frugal", 101, 50'000}, beaten{"beaten", 49, 8000};
	FrontierPoint lossy{"lossy", 120, 1000, 0, false, true};
	EXPECT_EQ(corners({fast, frugal}), 2);
	EXPECT_EQ(corners({fast, frugal, beaten, lossy}), 2);
	EXPECT_EQ(corners({lossy}), -1);
}

TEST(Spread, KeepsOrderDistanceAndBounds)
{
	std::vector<double> placed = spread({50, 50, 10, 51, 200}, 20, 0, 100);
	EXPECT_EQ(placed, (std::vector<double>{40, 60, 10, 80, 100}));
	EXPECT_TRUE(spread({}, 20, 0, 100).empty());
	for (double y : spread(std::vector<double>(50, 90), 20, 0, 100))  // too many: still inside
		EXPECT_TRUE(y >= -1e-9 && y <= 100 + 1e-9);
}

TEST(TimeAxis, TenfoldTimesAreEquallyFarApart)
{
	TimeAxis axis(1000, 1'000'000, 300, 0);
	EXPECT_NEAR(axis.at(1000), 300, 1e-6);
	EXPECT_NEAR(axis.at(10'000), 200, 1e-6);
	EXPECT_NEAR(axis.at(100'000), 100, 1e-6);
	EXPECT_NEAR(axis.at(0), 300, 1e-6);  // off the axis: on its end
	EXPECT_NEAR(axis.at(~0ULL), 0, 1e-6);
}

TEST(Figure, StandaloneFileCarriesStyleAndNameSpace)
{
	std::string svg = standalone_svg(bar_chart({"", {{"a", 1, ""}}}));
	EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fig\""));
	EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
	EXPECT_EQ(XmlCheck::fault(svg), "");
}

}  // namespace
}  // namespace punctual
