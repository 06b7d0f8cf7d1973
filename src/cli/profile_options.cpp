// SPDX-License-Identifier: GPL-2.0-only
#include "cli/profile_options.h"

#include <algorithm>
#include <charconv>

namespace punctual {
namespace {

constexpr std::chrono::milliseconds kDurationMin{10};
constexpr std::chrono::hours kDurationMax{24};
constexpr u64 kFrequencyMax = 10'000;  // a buffer of a CPU holds a good part of a second of them

Result<CpuList> online_of(const std::string& text)
{
	CpuList online = TRY(CpuList::online());
	if (text.empty())
		return online;
	const CpuList wanted = TRY(cpus_of_this_machine(text));
	CpuList both;
	for (const int cpu : wanted.cpus())
		if (online.contains(cpu))
			both.add(cpu);
	if (both.empty())
		return fail(ExitCode::usage, "-C {}: none of these CPUs is online; {} are", text, online.text());
	return both;
}

Result<u32> parse_program(std::string_view text)
{
	u32 id = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
	if (error != std::errc() || end != text.data() + text.size() || id == 0)
		return fail(ExitCode::usage, "-p '{}' is not the id of a BPF program (bpftool prog list shows them)",
			    text);
	return id;
}

}  // namespace

void declare_profile_options(CLI::App& app, ProfileOptions* options)
{
	app.add_option("-d,--duration", options->duration, "how long")->capture_default_str();
	app.add_option("-C,--cpus", options->cpus, "sample only these CPUs, e.g. 0-3,8");
	app.add_option("-f,--frequency", options->frequency, "samples a second of each CPU")->capture_default_str();
	app.add_option("-p,--program", options->programs,
		       "this BPF program, by its id (repeatable); else the scheduler's")
	    ->allow_extra_args(false);
	app.add_option("-o,--output", options->out, "also write a page (FILE.html) or a flame graph alone (FILE.svg)");
	app.add_option("--folded", options->folded, "also write the stacks for other flame graph tools");
	app.add_option("--speedscope", options->speedscope, "also write the stacks for speedscope");
	app.add_flag("-j,--json", options->json, "a JSON document instead of text");
}

Result<ProfilePlan> profile_plan(const ProfileOptions& options)
{
	ProfilePlan plan;
	plan.duration = TRY(parse_duration(options.duration));
	if (plan.duration < kDurationMin || plan.duration > kDurationMax)
		return fail(ExitCode::usage, "-d '{}': give 10ms to 24h", options.duration);
	plan.frequency_hz = TRY(parse_rate(options.frequency));
	if (plan.frequency_hz > kFrequencyMax)
		return fail(ExitCode::usage, "-f '{}': give 1 to {}", options.frequency, kFrequencyMax);
	for (const std::string& text : options.programs)
		plan.programs.push_back(TRY(parse_program(text)));
	std::ranges::sort(plan.programs);
	plan.programs.erase(std::ranges::unique(plan.programs).begin(), plan.programs.end());
	plan.out_is_svg = options.out.ends_with(".svg");
	if (!options.out.empty() && !plan.out_is_svg && !options.out.ends_with(".html"))
		return fail(ExitCode::usage, "-o '{}': give a name that ends in .html or .svg", options.out);
	plan.cpus = TRY(online_of(options.cpus));
	return plan;
}

}  // namespace punctual
