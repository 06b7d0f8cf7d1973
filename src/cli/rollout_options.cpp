// SPDX-License-Identifier: GPL-2.0-only
#include "cli/rollout_options.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/cgroup.h"
#include "bench/starts.h"
#include "cli/run_only.h"

namespace punctual {
namespace {

constexpr Nanoseconds kWindowMin = std::chrono::milliseconds(10);
constexpr Nanoseconds kSoakMax = std::chrono::hours(24 * 14);

Result<uint64_t> count_of(std::string_view option, int64_t value, int64_t low, int64_t high)
{
	if (value < low || value > high)
		return fail(ExitCode::usage, "{} {} is out of range ({} to {})", option, value, low, high);
	return static_cast<uint64_t>(value);
}

// With a load of its own the bench's arm says all; with the operator's the budgets are those of the slices.
Result<Arm> arm_of(const RolloutOptions& options)
{
	if (options.slices.empty()) {
		std::vector<Arm> arms = TRY(parse_arms(options.sched));
		if (arms.size() == 1 && arms[0].kind == ArmKind::scheduler)
			return arms[0];
		return fail(
		    ExitCode::usage,
		    "'{}' is no scheduler to roll out (scx_latency=DURATION, scx_simple, FILE.bpf.o; with --slice "
		    "scx_latency)",
		    options.sched);
	}
	if (options.sched.find('=') != std::string::npos)
		return fail(ExitCode::usage,
			    "'{}': with --slice the budget stands there: scx_latency --slice CGROUP=60us",
			    options.sched);
	return Arm{options.sched, ArmKind::scheduler, options.sched, std::nullopt};
}

Result<BenchOptions> load_options(const RolloutOptions& options)
{
	BenchOptions load;
	load.rate_per_s = TRY(parse_rate(options.rate));
	load.settle = TRY(parse_duration(options.settle));
	load.warmup = TRY(parse_duration(options.warmup));
	load.work = TRY(parse_duration(options.work));
	load.background = TRY(parse_background(options.background));
	load.background_processes = TRY(count_of("--background-processes", options.background_processes, 0, 256));
	load.counters = options.counters;
	load.seed = TRY(count_of("--seed", options.seed, 0, INT64_MAX / 2));
	return load;
}

Status read_own_load(const RolloutOptions& options, RolloutSetup* setup)
{
	for (const std::string& slice : options.slices)
		setup->slices.push_back(TRY(parse_only_slice(slice, &setup->budgets)));
	if (!options.background_cgroup.empty())
		setup->background_cgroup = TRY(find_cgroup(options.background_cgroup));
	for (const KeepCondition& condition : setup->plan.rule) {
		if (condition.metric == RolloutMetric::background && setup->background_cgroup.empty())
			return fail(
			    ExitCode::usage,
			    "the rule speaks of background, and with --slice that is the CPU time of a cgroup: name "
			    "it with --background-cgroup, or give another --keep-if");
		if (condition.metric == RolloutMetric::drop)
			return fail(
			    ExitCode::usage,
			    "the rule speaks of drop, and with --slice there are no packets that could be counted: "
			    "give another --keep-if");
	}
	return {};
}

Status refuse_bad_times(const RolloutSetup& setup, Nanoseconds soak)
{
	if (soak > kSoakMax)
		return fail(ExitCode::usage, "--soak {} is out of range (at most {})", format_duration(soak),
			    format_duration(kSoakMax));
	if (setup.window < kWindowMin)
		return fail(ExitCode::usage, "--soak {} in {} pairs gives runs of {}; they must be {} or more",
			    format_duration(soak), setup.plan.nr_pairs, format_duration(setup.window),
			    format_duration(kWindowMin));
	return {};
}

void declare_load_options(CLI::App& app, RolloutOptions* options)
{
	app.add_option("--slice", options->slices,
		       "CGROUP[=DURATION]: measure this load of yours instead of the bench's (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--background-cgroup", options->background_cgroup,
		       "with --slice: whose CPU time is the background work");
	app.add_option("--settle", options->settle, "idle time after a change of scheduler")->capture_default_str();
	app.add_option("--warmup", options->warmup, "load before each run, not counted")->capture_default_str();
	app.add_option("--pps", options->rate, "packets a second")->capture_default_str();
	app.add_option("--work", options->work, "work for each packet")->capture_default_str();
	app.add_option("--background", options->background, "python (telemetry) or spin")->capture_default_str();
	app.add_option("--background-processes", options->background_processes, "default: two a CPU of the step");
	app.add_option("--seed", options->seed, "draws the arrivals and the order of runs")->capture_default_str();
	app.add_flag("--counters", options->counters,
		     "also count what each side of the bench's load uses, by perf events: they cost at each switch");
}

}  // namespace

void declare_rollout_options(CLI::App& app, RolloutOptions* options, RolloutOutput* output)
{
	app.add_option("SCHED", options->sched,
		       "scx_latency=DURATION, scx_simple, FILE.bpf.o; with --slice scx_latency");
	app.add_option("--cpus", options->cpus, "CPUs of the roll-out, e.g. 0-15 (default: all)");
	app.add_option("--steps", options->steps, "CPUs of each step: quarter, half, all, 0-3, 0-3+8")
	    ->capture_default_str();
	app.add_option("--soak", options->soak, "how long each step runs the scheduler, and EEVDF as long")
	    ->capture_default_str();
	app.add_option("--pairs", options->pairs, "so many runs under each in a step")->capture_default_str();
	app.add_option(
	    "--keep-if", options->keep_if,
	    "rule over p50, p99, p99.9, max, background, drop (default: p99 <= 0.5x and background >= 0.95x)");
	declare_load_options(app, options);
	if (!output)
		return;
	app.add_option("--state", output->state, "where the roll-out is on record")->capture_default_str();
	app.add_flag("--resume", output->resume, "go on with what is on record");
	app.add_flag("--exit", output->exits, "do not stay when it is kept: print the command that keeps it");
	app.add_option("-o,--output", output->page, "also write the report as a page to this file");
	app.add_flag("-j,--json", output->json, "print one JSON document (schema punctual.rollout)");
}

std::vector<std::string> rollout_arguments(const RolloutOptions& options)
{
	std::vector<std::string> arguments = {options.sched,
					      "--steps=" + options.steps,
					      "--soak=" + options.soak,
					      "--pairs=" + std::to_string(options.pairs),
					      "--keep-if=" + options.keep_if,
					      "--settle=" + options.settle,
					      "--warmup=" + options.warmup,
					      "--pps=" + options.rate,
					      "--work=" + options.work,
					      "--background=" + options.background,
					      "--background-processes=" + std::to_string(options.background_processes),
					      "--seed=" + std::to_string(options.seed)};
	arguments.reserve(arguments.size() + options.slices.size() + 2);
	if (options.counters)
		arguments.emplace_back("--counters");
	if (!options.cpus.empty())  // an option of the form "--cpus=" would take the next word
		arguments.push_back("--cpus=" + options.cpus);
	for (const std::string& slice : options.slices)
		arguments.push_back("--slice=" + slice);
	if (!options.background_cgroup.empty())
		arguments.push_back("--background-cgroup=" + options.background_cgroup);
	return arguments;
}

Result<RolloutOptions> rollout_options_from(std::vector<std::string> arguments)
{
	RolloutOptions options;
	CLI::App app;
	declare_rollout_options(app, &options, nullptr);
	std::ranges::reverse(arguments);  // as CLI11 wants them
	try {                             // it reports by exception; it stops here
		app.parse(std::move(arguments));
	} catch (const CLI::Error& error) {
		return fail(ExitCode::failed, "{}", error.what());
	}
	return options;
}

Result<BenchOptions> RolloutSetup::load_of(uint64_t step, uint64_t pair) const
{
	BenchOptions options = options_of_start(load, step * plan.nr_pairs + pair);
	options.cpus = plan.steps[step];
	options.duration = window;
	return complete(options);
}

Result<CpuList> RolloutSetup::scope_of(uint64_t step) const
{
	const std::vector<int>& wanted = plan.steps[step].cpus();
	// A scheduler that knows no CPUs to keep to can still be rolled out on all of them.
	return wanted == TRY(CpuList::online()).cpus() ? CpuList() : plan.steps[step];
}

Result<RolloutSetup> rollout_setup(const RolloutOptions& options, bool stays)
{
	if (options.sched.empty())
		return fail(ExitCode::usage, "which scheduler? (punctual rollout scx_latency=60us --cpus 0-15)");
	RolloutSetup setup;
	setup.arm = TRY(arm_of(options));
	if (setup.arm.is_object_file() && ::access(setup.arm.scheduler.c_str(), R_OK) != 0)
		return fail_errno(errno, ExitCode::usage, fmt::format("cannot read {}", setup.arm.scheduler));
	setup.cpus = options.cpus.empty() ? TRY(CpuList::online()) : TRY(cpus_of_this_machine(options.cpus));
	setup.plan.steps = TRY(parse_steps(options.steps, setup.cpus));
	setup.plan.nr_pairs = TRY(count_of("--pairs", options.pairs, 1, kRolloutPairsMax));
	setup.plan.rule = TRY(parse_keep_rule(options.keep_if));
	setup.plan.stays = stays;
	if (options.counters && !options.slices.empty())
		return fail(ExitCode::usage, "--counters counts processes of the bench's load: not with --slice");
	setup.load = TRY(load_options(options));
	setup.plan.seed = setup.load.seed;
	const Nanoseconds soak = TRY(parse_duration(options.soak));
	setup.window = soak / static_cast<int64_t>(setup.plan.nr_pairs);
	TRY(refuse_bad_times(setup, soak));
	if (!options.slices.empty())
		TRY(read_own_load(options, &setup));
	else if (!options.background_cgroup.empty())
		return fail(ExitCode::usage, "--background-cgroup goes with --slice: the bench's load has its own");
	for (uint64_t step = 0; step < setup.plan.steps.size(); step++)
		TRY(setup.load_of(step, 0));
	return setup;
}

std::vector<std::string> keep_command(const RolloutOptions& options, const RolloutSetup& setup)
{
	std::vector<std::string> command = {"punctual", "run", setup.arm.scheduler};
	if (const Result<CpuList> scope = setup.scope_of(setup.plan.steps.size() - 1); scope && !scope->empty())
		command.insert(command.end(), {"--cpus", scope->text()});
	command.reserve(command.size() + 2 * options.slices.size());
	for (const std::string& slice : options.slices)
		if (slice.find('=') != std::string::npos)
			command.insert(command.end(), {"--slice", slice});
	return command;
}

}  // namespace punctual
