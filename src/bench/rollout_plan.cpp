// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rollout_plan.h"

#include <algorithm>

namespace punctual {
namespace {

CpuList first_of(const CpuList& cpus, size_t parts)
{
	CpuList part;
	for (size_t at = 0; at < (cpus.size() + parts - 1) / parts; at++)
		part.add(cpus.cpus()[at]);
	return part;
}

Result<CpuList> parse_step(std::string_view text, const CpuList& cpus)
{
	if (text == "all")
		return cpus;
	if (text == "half")
		return first_of(cpus, 2);
	if (text == "quarter")
		return first_of(cpus, 4);
	std::string list(text);
	std::ranges::replace(list, '+', ',');
	const Result<CpuList> parsed = CpuList::parse(list);
	if (!parsed || parsed->empty())
		return fail(ExitCode::usage,
			    "--steps: '{}' is no step (quarter, half, all, or CPUs such as 0-3 or 0-3+8)", text);
	for (const int cpu : parsed->cpus())
		if (!cpus.contains(cpu))
			return fail(ExitCode::usage, "--steps: cpu {} of step '{}' is not among --cpus {}", cpu, text,
				    cpus.text());
	return *parsed;
}

}  // namespace

Result<std::vector<CpuList>> parse_steps(std::string_view text, const CpuList& cpus)
{
	std::vector<CpuList> steps;
	steps.reserve(kRolloutStepsMax);
	for (bool more = true; more;) {
		const size_t end = std::min(text.find(','), text.size());
		if (steps.size() == kRolloutStepsMax)
			return fail(ExitCode::usage, "--steps: more than {} steps", kRolloutStepsMax);
		steps.push_back(TRY(parse_step(text.substr(0, end), cpus)));
		more = end < text.size();
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return steps;
}

}  // namespace punctual
