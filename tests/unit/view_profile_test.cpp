// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "tests/unit/xml_check.h"
#include "view/figure.h"
#include "view/profile_page.h"
#include "view/profile_text.h"

namespace punctual {
namespace {

constexpr const char* kHostile = "</svg><script>&\"'\x1b[31m\xff";

Profile sampled(std::string name)
{
	Profile profile;
	profile.scheduler = name;
	profile.elapsed_ns = 1'000'000'000;
	profile.nr_cpus = 1;
	profile.frequency_hz = 997;
	profile.callbacks = {{14, name, "enqueue", 1000, 500'000, 97}, {15, "cheap", "dispatch", 1000, 100'000, 97}};
	profile.nr_samples = 100;
	const std::string_view frames[] = {"do_syscall_64", "__schedule", name};
	add_kernel_sample(&profile, frames, {name}, false, 40'000'000);
	profile.weights.user += 60'000'000;
	return profile;
}

// Left and right end of the box of each function, in drawing order, by the name in its title.
std::map<std::string, std::pair<double, double>> boxes(const std::string& html)
{
	std::map<std::string, std::pair<double, double>> found;
	const std::regex box("<title>([^:]*): [^<]*</title><rect [^>]*x=\"([0-9.]+)\"[^>]*width=\"([0-9.]+)\"");
	for (std::sregex_iterator it(html.begin(), html.end(), box), end; it != end; ++it)
		found[(*it)[1]] = {std::stod((*it)[2]), std::stod((*it)[2]) + std::stod((*it)[3])};
	return found;
}

TEST(FlameGraph, BoxIsAsWideAsItsShareAndStandsOnItsCaller)
{
	StackTree tree;
	const StackFrame a[] = {{"outer"}, {"inner"}}, b[] = {{"outer"}, {"other"}}, c[] = {{"zero"}};
	tree.add(a, 30);
	tree.add(b, 10);
	tree.add(c, 60);
	const auto found = boxes(flame_graph({"t", &tree, 200, "of all"}).html);
	ASSERT_EQ(found.size(), 4u);
	auto width = [&](const char* name) { return found.at(name).second - found.at(name).first; };
	EXPECT_NEAR(width("inner") / width("other"), 3, 0.01);
	EXPECT_NEAR(width("outer"), width("inner") + width("other"), 0.2);
	EXPECT_NEAR(width("zero"), 0.3 * 1160, 0.2);  // of 200, not of the stacks alone
	EXPECT_GE(found.at("inner").first, found.at("outer").first - 0.1);
	EXPECT_LE(found.at("other").second, found.at("outer").second + 0.1);
}

TEST(FlameGraph, IsSoundForHostileNamesNoneAndMany)
{
	StackTree none, hostile, many;
	const StackFrame frame[] = {{kHostile, SchedulerPart::bpf}};
	hostile.add(frame, 1);
	std::vector<std::string> names;
	names.reserve(20'000);
	for (int i = 0; i < 20'000; i++)
		names.push_back("f" + std::to_string(i));
	std::vector<StackFrame> deep;
	for (const std::string& name : names) {
		const StackFrame one[] = {{name}};
		many.add(one, 1);
		if (deep.size() < 1000)
			deep.push_back({name});
	}
	many.add(deep, 20'000);
	for (const StackTree* tree : {&none, &hostile, &many}) {
		const std::string html = flame_graph({kHostile, tree, 0, kHostile}).html;
		EXPECT_EQ(XmlCheck::fault(html), "") << html.substr(0, 1000);
		EXPECT_EQ(html.find("<script"), std::string::npos);
		EXPECT_LT(html.size(), 100'000u);  // too narrow and too deep boxes are left out
	}
}

TEST(ProfilePage, IsOneFileWithoutScriptOrAddress)
{
	for (const std::string& text : {profile_html(sampled(kHostile)), profile_html(Profile())}) {
		EXPECT_EQ(text.find("<script"), std::string::npos);
		EXPECT_EQ(text.find("http://"), std::string::npos);
		EXPECT_EQ(text.find("https://"), std::string::npos);
		EXPECT_NE(text.find("<svg"), std::string::npos);
	}
	EXPECT_EQ(XmlCheck::fault(profile_svg(sampled(kHostile))), "");
}

TEST(ProfileText, CostliestCallbackComesFirstAndTheSumLast)
{
	const Table table = callbacks_table(sampled("costly"));
	ASSERT_EQ(table.rows.size(), 3u);
	EXPECT_EQ(table.rows[0].cells[0].text, "enqueue");
	EXPECT_EQ(table.rows[0].cells[4].text, "500");    // ns a run
	EXPECT_EQ(table.rows[0].cells[5].text, "0.050");  // % of one CPU
	EXPECT_EQ(table.rows[2].cells[2].text, "2000");
	EXPECT_EQ(table.rows[2].cells[4].text, "300");
}

TEST(ProfileText, SaysWhatItCouldNotSee)
{
	Profile profile = sampled("scx_x");
	profile.nr_lost = 1234;
	EXPECT_NE(profile_text(profile).find("1234 lost"), std::string::npos);
	EXPECT_NE(profile_text(profile).find("interrupts off"), std::string::npos);
	profile.by_cycles = true;
	EXPECT_EQ(profile_text(profile).find("interrupts off"), std::string::npos);
	EXPECT_NE(profile_text(profile).find("hardware cycles"), std::string::npos);
	profile.programs_unnamed = profile.changed = profile.interrupted = true;
	EXPECT_NE(profile_text(profile).find("bpf_jit_kallsyms"), std::string::npos);
	EXPECT_NE(profile_text(profile).find("changed meanwhile"), std::string::npos);
	EXPECT_NE(profile_text(profile).find("(interrupted)"), std::string::npos);
}

TEST(ProfileText, WithoutASchedulerItIsTheKernelsOwn)
{
	Profile profile;
	profile.elapsed_ns = 1'000'000'000;
	EXPECT_NE(profile_text(profile).find("EEVDF"), std::string::npos);
	EXPECT_EQ(profile_text(profile).find("callback  "), std::string::npos);
}

}  // namespace
}  // namespace punctual
