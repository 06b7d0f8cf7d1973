// SPDX-License-Identifier: GPL-2.0-only
#include "view/profile_page.h"

#include <fmt/format.h>

#include "view/figure.h"
#include "view/html_page.h"
#include "view/number.h"
#include "view/profile_text.h"
#include "view/text.h"

namespace punctual {
namespace {

std::string unit(const Profile& profile)
{
	return profile.by_cycles ? "of cycles" : "of CPU time";
}

std::string headline(const Profile& profile)
{
	const std::string all = percent_text(profile.weights.scheduler(), profile.weights.all());
	if (profile.callbacks.empty())
		return fmt::format("The kernel's own scheduler takes {} % {}", all, unit(profile));
	return fmt::format(
	    "The callbacks of {} take {} % of one CPU",
	    profile.scheduler.empty() ? "the BPF programs" : shortened(clean_text(profile.scheduler), 40),
	    percent_text(callbacks_ns(profile), profile.elapsed_ns));
}

void add_tiles(const Profile& profile, Page* page)
{
	if (!profile.callbacks.empty()) {
		const u64 nr = callbacks_runs(profile);
		page->tiles.push_back({"callbacks", percent_text(callbacks_ns(profile), profile.elapsed_ns) + " %",
				       "of one CPU, by the kernel's statistics"});
		page->tiles.push_back({"a run", nr ? fmt::format("{} ns", (callbacks_ns(profile) + nr / 2) / nr) : "-",
				       count_text(nr) + " runs"});
	}
	page->tiles.push_back({"the whole scheduler",
			       percent_text(profile.weights.scheduler(), profile.weights.all()) + " %",
			       unit(profile) + ", by samples"});
}

PageSection callbacks_section(const Profile& profile)
{
	PageSection section;
	section.heading = "What each callback costs";
	section.table = callbacks_table(profile);
	return section;
}

PageSection weights_section(const Profile& profile)
{
	PageSection section;
	section.heading = "Where the time goes";
	section.table = weights_table(profile);
	return section;
}

FlameGraph whole_graph(const Profile& profile)
{
	return {"Stacks in the kernel", &profile.stacks, profile.weights.all(), unit(profile)};
}

PageSection flame_section(const Profile& profile)
{
	PageSection section;
	section.heading = "Flame graphs";
	section.prose = {
	    "A box is a function, as wide as its share of the samples, and stands on the one that called it. The "
	    "pointer or the Tab key shows its figures at the top of the graph."};
	section.figures.push_back(
	    {flame_graph(whole_graph(profile)),
	     fmt::format("All stacks in the kernel. The width is 100 % {}; user space and idling have "
			 "no stack and stay empty.",
			 unit(profile))});
	section.figures.push_back(
	    {flame_graph({"The scheduler alone", &profile.scheduler_stacks, profile.scheduler_stacks.total(),
			  "of the scheduler"}),
	     "The scheduler alone, from where it was entered, whoever entered it. The width is all of its samples."});
	return section;
}

PageSection functions_section(const Profile& profile)
{
	PageSection section;
	section.heading = "Functions in which most samples ended";
	section.table = functions_table(profile);
	return section;
}

}  // namespace

std::string profile_html(const Profile& profile)
{
	Page page;
	page.title = "punctual profile";
	page.eyebrow = "punctual profile";
	page.headline = headline(profile);
	page.lead = profile_title(profile) + ".";
	add_tiles(profile, &page);
	if (!profile.callbacks.empty())
		page.sections.push_back(callbacks_section(profile));
	page.sections.push_back(weights_section(profile));
	page.sections.push_back(flame_section(profile));
	if (profile.stacks.total() > 0)
		page.sections.push_back(functions_section(profile));
	page.sections.back().notes = profile_notes(profile);
	page.sections.back().facts = {{"kernel", profile.kernel}};
	page.footer = "Made by punctual profile.";
	return html_page(page);
}

std::string profile_svg(const Profile& profile)
{
	return standalone_svg(flame_graph(whole_graph(profile)));
}

}  // namespace punctual
