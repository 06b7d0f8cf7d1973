// SPDX-License-Identifier: GPL-2.0-only
#include "cli/feasible_watch.h"

#include <fmt/format.h>

#include "cli/feasible_words.h"

namespace punctual {
namespace {

constexpr std::chrono::seconds kSayPause{5};  // between two lines about a class
constexpr std::chrono::seconds kSettled{1};   // so long without an infeasible window: it is kept again
constexpr size_t kClassesMax = 1000;          // cgroups come and go; beyond this the sum begins anew

}  // namespace

std::vector<std::string> FeasibleWatch::step(std::span<const class_verdict> verdicts, Time now)
{
	std::vector<std::string> lines;
	if (classes_.size() > kClassesMax)
		classes_.clear();
	for (const class_verdict& verdict : verdicts) {
		auto [entry, is_new] = classes_.try_emplace(verdict.cgroup_id);
		Class& about = entry->second;
		if (is_new)
			about.name = name_of_(verdict.cgroup_id);
		if (verdict.nr_windows < about.last.nr_windows) {  // the scheduler was loaded again
			about.before.nr_windows += about.last.nr_windows;
			about.before.nr_infeasible += about.last.nr_infeasible;
			about.last = {};
		}
		if (verdict.nr_infeasible > about.last.nr_infeasible)
			about.infeasible_at = now;
		about.last = verdict;
		const bool lately = verdict.nr_infeasible > 0 && now - about.infeasible_at < kSettled;
		const uint32_t reason = lately ? verdict.reason : static_cast<uint32_t>(FEASIBLE);
		if (reason != about.said_reason && (!about.said_any || now - about.said_at >= kSayPause))
			lines.push_back(say(&about, reason, now));
	}
	return lines;
}

std::string FeasibleWatch::say(Class* about, uint32_t reason, Time now) const
{
	about->said_reason = reason;
	about->said_at = now;
	about->said_any = true;
	if (reason == FEASIBLE)
		return fmt::format("{}: its budget is kept again", about->name);
	return fmt::format("{}: its budget cannot be kept: {}", about->name, infeasible_words(about->last));
}

std::vector<std::string> FeasibleWatch::summary() const
{
	std::vector<std::string> lines;
	for (const auto& [id, about] : classes_) {
		class_verdict sum = about.last;
		sum.nr_windows += about.before.nr_windows;
		sum.nr_infeasible += about.before.nr_infeasible;
		if (sum.nr_infeasible > 0)
			lines.push_back(fmt::format("{}: {}", about.name, infeasible_count(sum)));
	}
	return lines;
}

}  // namespace punctual
