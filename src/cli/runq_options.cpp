// SPDX-License-Identifier: GPL-2.0-only
#include "cli/runq_options.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/cgroup.h"
#include "base/file.h"

namespace punctual {
namespace {

constexpr std::chrono::seconds kInterval{5};
constexpr std::chrono::milliseconds kIntervalMin{10};
constexpr std::chrono::hours kIntervalMax{24};

template <typename Number>
std::optional<Number> number_of(std::string_view text)
{
	Number value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// A thread stands for its process.
Result<u32> parse_process(std::string_view text)
{
	const auto pid = number_of<u32>(text);
	if (!pid || *pid == 0)
		return fail(ExitCode::usage, "-p '{}' is not a process id, e.g. 4711", text);
	const auto status = read_file(fmt::format("/proc/{}/status", *pid));
	if (!status)
		return fail(ExitCode::usage, "-p {}: there is no such process (pgrep finds them by name)", *pid);
	constexpr std::string_view kKey = "\nTgid:\t";
	const size_t at = status->find(kKey);
	if (at == std::string::npos)
		return *pid;
	const std::string_view rest = std::string_view(*status).substr(at + kKey.size());
	return number_of<u32>(rest.substr(0, rest.find('\n'))).value_or(*pid);
}

Result<WaitsBy> parse_by(std::string_view text)
{
	if (text.empty())
		return WaitsBy::kind;
	if (text == "cpu")
		return WaitsBy::cpu;
	if (text == "cgroup")
		return WaitsBy::cgroup;
	if (text == "task")
		return WaitsBy::task;
	return fail(ExitCode::usage, "--by '{}': give cpu, cgroup or task", text);
}

// Takes INTERVAL and COUNT from the front of the words, if they are there; the rest is the command.
Status take_words(const std::vector<std::string>& words, RunqPlan* plan)
{
	auto next = words.begin();
	if (next != words.end() &&
	    next->starts_with('-'))  // a negative number is no option to the parser; no program is called so
		return fail(ExitCode::usage, "INTERVAL '{}': give 10ms to 24h", *next);
	if (next != words.end())
		if (auto interval = parse_duration(*next)) {
			if (*interval < kIntervalMin || *interval > kIntervalMax)
				return fail(ExitCode::usage, "INTERVAL '{}': give 10ms to 24h", *next);
			plan->interval = *interval;
			next++;
		}
	if (plan->interval && next != words.end())
		if (auto count = number_of<u64>(*next)) {
			if (*count == 0)
				return fail(ExitCode::usage, "COUNT '0': give at least 1");
			plan->count = count;
			next++;
		}
	plan->command.assign(next, words.end());
	if (!plan->interval && plan->command.empty())
		plan->interval = kInterval;
	return {};
}

}  // namespace

void declare_runq_options(CLI::App& app, RunqOptions* options)
{
	// Three, because CLI11 takes "--" for the end of the subcommand when its last positional has got something.
	app.add_option("INTERVAL", options->interval, "e.g. 200ms; a bare number is seconds (default: 5s)");
	app.add_option("COUNT", options->count, "of intervals (default: until interrupted)");
	app.add_option("CMD", options->command, "a command to run meanwhile, after --");
	app.add_option("--by", options->by, "cpu, cgroup or task: a row for each");
	app.add_option("-p,--pid", options->pid, "only the threads of this process");
	app.add_option("-c,--cgroup", options->cgroup, "only tasks of this cgroup and of those below it");
	app.add_option("-C,--cpus", options->cpus, "only waits that end on these CPUs, e.g. 0-3,8");
	app.add_flag("-j,--json", options->json, "a JSON document a line for each interval");
	app.add_flag("--waking", options->waking, "also the time from the waker's call to the wakeup itself");
	app.add_flag("--outliers", options->outliers, "also tell the longest waits one by one, and who ran meanwhile");
	app.add_flag("--cost", options->cost, "also what the probes cost; turns on BPF statistics meanwhile");
}

Result<RunqPlan> runq_plan(const RunqOptions& options)
{
	RunqPlan plan;
	std::vector<std::string> words;
	for (const std::string& word : {options.interval, options.count})
		if (!word.empty())
			words.push_back(word);
	words.insert(words.end(), options.command.begin(), options.command.end());
	TRY(take_words(words, &plan));
	plan.by = TRY(parse_by(options.by));
	if (!options.pid.empty())
		plan.collector.tgid = TRY(parse_process(options.pid));
	if (!options.cgroup.empty())
		plan.collector.cgroup_id = TRY(cgroup_id(TRY(find_cgroup(options.cgroup))));
	if (!options.cpus.empty())
		plan.collector.cpus = TRY(cpus_of_this_machine(options.cpus));
	plan.collector.tasks = plan.by == WaitsBy::task;
	plan.collector.waking = options.waking;
	return plan;
}

}  // namespace punctual
