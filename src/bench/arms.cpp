// SPDX-License-Identifier: GPL-2.0-only
#include "bench/arms.h"

#include <algorithm>

namespace punctual {
namespace {

constexpr size_t kArmsMax = 64;
// Above this the kernel's watchdog and our own starvation limit decide, not the budget.
constexpr Nanoseconds kBudgetMax = std::chrono::seconds(1);
constexpr std::string_view kChoices =
    "eevdf, eevdf-slice, eevdf-weight, eevdf-nice, eevdf-idle, fifo, deadline, cpuset, scx_simple, "
    "scx_latency=DURATION "
    "or a "
    "FILE.bpf.o";

struct Fixed {
	std::string_view name;
	ArmKind kind;
	std::string_view scheduler;
};

constexpr Fixed kFixed[] = {
    {"eevdf", ArmKind::eevdf, ""},
    {"eevdf-slice", ArmKind::eevdf_slice, ""},
    {"eevdf-weight", ArmKind::eevdf_weight, ""},
    {"eevdf-nice", ArmKind::eevdf_nice, ""},
    {"eevdf-idle", ArmKind::eevdf_idle, ""},
    {"fifo", ArmKind::fifo, ""},
    {"deadline", ArmKind::deadline, ""},
    {"cpuset", ArmKind::cpuset, ""},
    {"scx_simple", ArmKind::scheduler, "scx_simple"},
};

Result<Arm> parse_latency(std::string_view name, std::string_view budget_text)
{
	Result<Nanoseconds> budget = parse_duration(budget_text);
	if (!budget)
		return fail(ExitCode::usage, "arm '{}': {}", name, budget.error().what);
	if (budget->count() <= 0 || *budget > kBudgetMax)
		return fail(ExitCode::usage, "arm '{}': a budget must be above 0 and at most {}", name,
			    format_duration(kBudgetMax));
	return Arm{std::string(name), ArmKind::scheduler, "scx_latency", *budget};
}

Result<Arm> parse_arm(std::string_view name)
{
	constexpr std::string_view kLatency = "scx_latency";
	const auto* fixed = std::ranges::find(kFixed, name, &Fixed::name);
	if (fixed != std::end(kFixed))
		return Arm{std::string(name), fixed->kind, std::string(fixed->scheduler), std::nullopt};
	if (name == kLatency)
		return fail(ExitCode::usage, "arm 'scx_latency' needs a budget, for example scx_latency=60us");
	if (name.starts_with("scx_latency="))
		return parse_latency(name, name.substr(kLatency.size() + 1));
	if (name.ends_with(".bpf.o"))
		return Arm{std::string(name), ArmKind::scheduler, std::string(name), std::nullopt};
	return fail(ExitCode::usage, "unknown arm '{}' (choose from {})", name, kChoices);
}

}  // namespace

Result<std::vector<Arm>> parse_arms(std::string_view text)
{
	std::vector<Arm> arms;
	for (bool more = true; more;) {
		const size_t end = std::min(text.find(','), text.size());
		arms.push_back(TRY(parse_arm(text.substr(0, end))));
		more = end < text.size();
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	if (arms.size() > kArmsMax)
		return fail(ExitCode::usage, "{} arms are too many (at most {} in one run)", arms.size(), kArmsMax);
	return arms;
}

Status refuse_too_few_cpus(const Arm& arm, const CpuList& cpus)
{
	if (arm.kind == ArmKind::cpuset && cpus.size() < 2)
		return fail(
		    ExitCode::usage,
		    "arm '{}' gives each side CPUs of its own, which takes two or more, and there is only CPU {} (give "
		    "--cpus, for example 0-1, or leave it out of --arms)",
		    arm.name, cpus.text());
	return {};
}

}  // namespace punctual
