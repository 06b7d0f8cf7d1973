// SPDX-License-Identifier: GPL-2.0-only
// punctual bench: a packet function against telemetry on the same CPUs, under several schedulers.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/ranges.h>

#include "base/file.h"
#include "bench/result_json.h"
#include "bench/trial.h"
#include "bench/starts.h"
#include "cli/bench_lab.h"
#include "cli/bench_report.h"
#include "cli/bench_search.h"
#include "cli/commands.h"
#include "lab/kernel_table.h"
#include "scope/budget_option.h"
#include "view/bench_page.h"

#ifndef PUNCTUAL_GIT_HASH
#define PUNCTUAL_GIT_HASH "(built outside git)"
#endif

namespace punctual {
namespace {

// As typed; read in the action, so that errors name the value and the remedy.
struct BenchArguments {
	std::string arms{kAllArms};
	std::string rate = "60k";
	std::string duration = "1s";
	std::string warmup = "300ms";
	std::string settle = "1s";
	std::string work = "2500ns";
	std::string packets = "ring";
	std::string arrivals = "constant";
	std::string background = "python";
	std::string cpus;
	std::string html;
	std::string svg;
	std::string frontier;
	int64_t ring = 256;  // signed: a minus sign must not turn into a huge number
	int64_t rx_usecs = 0;
	int64_t seed = 1;
	int64_t background_processes = 0;
	int64_t starts = 1;
	std::string margin = "5%";
	std::string kernel{kDefaultKernel};
	bool lab = false;
	bool search = false;
	bool counters = false;
	bool json = false;
};

// The options that the figures depend on, as a command line that gives them again. Written out in
// full, so that a change of a default does not change what it means.
std::vector<std::string> load_options(const BenchOptions& options)
{
	std::vector<std::string> words = {"--pps",
					  std::to_string(options.rate_per_s),
					  "--duration",
					  format_duration(options.duration),
					  "--warmup",
					  format_duration(options.warmup),
					  "--settle",
					  format_duration(options.settle),
					  "--ring",
					  std::to_string(options.ring_packets),
					  "--work",
					  format_duration(options.work),
					  "--arrivals",
					  arrivals_text(options.arrivals),
					  "--seed",
					  std::to_string(options.seed),
					  "--background",
					  std::string(background_name(options.background)),
					  "--background-processes",
					  std::to_string(options.background_processes),
					  "--cpus",
					  options.cpus.text()};
	// Only when they are on, so that without them the lab's guest gets the command line that it always got.
	if (options.plane != PacketPlane::ring)
		words.insert(words.end(), {"--packets", std::string(plane_name(options.plane))});
	if (options.rx_usecs != 0)
		words.insert(words.end(), {"--rx-usecs", std::to_string(options.rx_usecs)});
	if (options.counters)
		words.emplace_back("--counters");
	return words;
}

std::string repeat_command(const BenchArguments& arguments, const BenchOptions& options)
{
	const std::string where = arguments.lab ? fmt::format("--lab --kernel {} ", arguments.kernel) : "";
	const std::string starts =
	    arguments.starts > 1 ? fmt::format("--starts {} --margin {} ", arguments.starts, arguments.margin) : "";
	return fmt::format("punctual bench {}{}--arms {} {}", where, starts, arguments.arms,
			   fmt::join(load_options(options), " "));
}

Result<uint64_t> count_of(std::string_view option, int64_t value)
{
	if (value < 0)
		return fail(ExitCode::usage, "{} {}: it cannot be negative", option, value);
	return static_cast<uint64_t>(value);
}

Result<BenchOptions> read_options(const BenchArguments& arguments)
{
	BenchOptions options;
	options.rate_per_s = TRY(parse_rate(arguments.rate));
	options.duration = TRY(parse_duration(arguments.duration));
	options.warmup = TRY(parse_duration(arguments.warmup));
	options.settle = TRY(parse_duration(arguments.settle));
	options.work = TRY(parse_duration(arguments.work));
	options.plane = TRY(parse_plane(arguments.packets));
	if (arguments.lab && options.plane != PacketPlane::ring)
		return fail(
		    ExitCode::usage,
		    "--packets {} and --lab exclude each other: in virtual time the generator cannot run beside "
		    "the packet function",
		    arguments.packets);
	options.arrivals = TRY(parse_arrivals(arguments.arrivals));
	options.background = TRY(parse_background(arguments.background));
	options.ring_packets = TRY(count_of("--ring", arguments.ring));
	options.rx_usecs = TRY(count_of("--rx-usecs", arguments.rx_usecs));
	options.counters = arguments.counters;
	options.seed = TRY(count_of("--seed", arguments.seed));
	options.background_processes = TRY(count_of("--background-processes", arguments.background_processes));
	if (arguments.lab)  // the guest has as many CPUs as the list needs, by default one
		options.cpus = TRY(CpuList::parse(arguments.cpus.empty() ? "0" : arguments.cpus));
	else if (!arguments.cpus.empty())
		options.cpus = TRY(cpus_of_this_machine(arguments.cpus));
	return complete(options);
}

// Before anything is set up, and on this side of the lab: a run takes minutes.
Status refuse_unusable_files(const std::vector<Arm>& arms, const BenchArguments& arguments)
{
	for (const std::string& file : {arguments.html, arguments.svg, arguments.frontier}) {
		const std::filesystem::path directory = std::filesystem::path(file).parent_path();
		if (!file.empty() && ::access(directory.empty() ? "." : directory.c_str(), W_OK) != 0)
			return fail_errno(errno, ExitCode::usage, fmt::format("cannot write {}", file));
	}
	for (const Arm& arm : arms)
		if (arm.is_object_file() && ::access(arm.scheduler.c_str(), R_OK) != 0)
			return fail_errno(errno, ExitCode::usage,
					  fmt::format("arm '{}': cannot read that file", arm.name));
	return {};
}

// The arms in another order by start, the results in the order of `arms`.
Result<BenchResult> one_start_here(const std::vector<Arm>& arms, const BenchOptions& options, uint64_t start,
				   uint64_t nr_starts, StopSignal& stop)
{
	const BenchOptions changed = options_of_start(options, start);
	const std::vector<size_t> order = arm_order(arms.size(), start, nr_starts, options.seed);
	std::vector<Arm> ordered;
	ordered.reserve(arms.size());
	for (size_t at : order)
		ordered.push_back(arms[at]);
	size_t number = start * arms.size();
	BenchResult result = TRY(run_bench(ordered, changed, stop, [&](const Arm& arm) {
		fmt::print(stderr, "bench: run {} of {}: {}\n", ++number, nr_starts * arms.size(), arm.name);
	}));
	std::vector<ArmResult> as_given(arms.size());
	for (size_t i = 0; i < order.size(); i++)
		as_given[order[i]] = std::move(result.arms[i]);
	result.arms = std::move(as_given);
	result.environment.emplace_back("punctual", PUNCTUAL_VERSION " " PUNCTUAL_GIT_HASH);
	return result;
}

Result<std::vector<BenchResult>> bench_here(const std::vector<Arm>& arms, const BenchOptions& options,
					    uint64_t nr_starts, StopSignal& stop)
{
	std::vector<BenchResult> starts;
	starts.reserve(nr_starts);
	for (uint64_t start = 0; start < nr_starts; start++)
		starts.push_back(TRY(one_start_here(arms, options, start, nr_starts, stop)));
	return starts;
}

Result<std::vector<BenchResult>> bench_in_guests(const std::vector<Arm>& arms, const BenchOptions& options,
						 const std::string& kernel, uint64_t nr_starts, StopSignal& stop)
{
	std::vector<LabBench> benches;
	benches.reserve(nr_starts);
	for (uint64_t start = 0; start < nr_starts; start++)
		benches.push_back({kernel, options.cpus.cpus().back() + 1,
				   load_options(options_of_start(options, start)), options.warmup + options.duration});
	std::vector<BenchResult> starts = TRY(bench_in_lab(arms, benches, stop));
	for (BenchResult& result : starts)
		result.environment.emplace_back("time", options.cpus.cpus().size() == 1
							    ? "virtual: 1 instruction is 1 ns"
							    : "virtual: 1 instruction is 1 ns, CPUs side by side "
							      "in rounds of 1 us, each figure of two equal boots");
	return starts;
}

Result<std::vector<BenchResult>> run_starts(const std::vector<Arm>& arms, const BenchOptions& options,
					    const BenchArguments& arguments, StopSignal& stop)
{
	const auto nr_starts = static_cast<uint64_t>(arguments.starts);
	return arguments.lab ? bench_in_guests(arms, options, arguments.kernel, nr_starts, stop)
			     : bench_here(arms, options, nr_starts, stop);
}

Result<ExitCode> search(const std::vector<Arm>& arms, const BenchOptions& options, const BenchArguments& arguments,
			StopSignal& stop)
{
	const std::vector<FoundRates> found =
	    TRY(search_rates(arms, options, [&](const Arm& arm, const BenchOptions& trial) {
		    return run_starts({arm}, trial, arguments, stop);
	    }));
	const auto nr_starts = static_cast<uint64_t>(arguments.starts);
	fmt::print("{}",
		   arguments.json ? search_json(found, options, nr_starts) : search_text(found, options, nr_starts));
	return ExitCode::ok;
}

Result<ExitCode> bench(const BenchArguments& arguments)
{
	const std::vector<Arm> arms = TRY(parse_arms(arguments.arms));
	const BenchOptions options = TRY(read_options(arguments));
	for (const Arm& arm : arms)
		TRY(refuse_too_few_cpus(arm, options.cpus));
	if (arguments.starts < 1 || static_cast<uint64_t>(arguments.starts) > kStartsMax)
		return fail(ExitCode::usage, "--starts {}: give 1 to {}", arguments.starts, kStartsMax);
	const auto nr_starts = static_cast<uint64_t>(arguments.starts);
	const double margin = TRY(parse_percent(arguments.margin, "--margin", 0, 100)) / 100.0;
	TRY(refuse_unusable_files(arms, arguments));
	if (!arguments.search && nr_starts > 1 && nr_starts < starts_min(arms.size()))
		fmt::print(stderr, "punctual: {} starts cannot give a verdict on {} arms, {} can\n", nr_starts,
			   arms.size(), starts_min(arms.size()));
	StopSignal stop = TRY(StopSignal::create());
	if (arguments.search)
		return search(arms, options, arguments, stop);
	const std::vector<BenchResult> starts = TRY(run_starts(arms, options, arguments, stop));
	BenchReport report =
	    bench_report(starts, options, arguments.lab ? BenchPlace::lab : BenchPlace::machine, margin);
	report.command = repeat_command(arguments, options);
	if (!arguments.html.empty())
		TRY(replace_file(arguments.html, bench_html(report)));
	if (!arguments.svg.empty())
		TRY(replace_file(arguments.svg, bench_svg(report)));
	if (!arguments.frontier.empty())
		TRY(replace_file(arguments.frontier, bench_frontier_svg(report)));
	fmt::print("{}", !arguments.json      ? bench_text(report)
			 : starts.size() == 1 ? bench_to_json(starts[0])
					      : starts_to_json(starts, compare_starts(starts, margin)));
	return ExitCode::ok;
}

}  // namespace

Action setup_bench(CLI::App& app)
{
	auto arguments = std::make_shared<BenchArguments>();
	app.add_option("--arms", arguments->arms,
		       "what to compare, in this order: eevdf, eevdf-slice, eevdf-weight, eevdf-nice, eevdf-idle, "
		       "fifo, deadline, cpuset, scx_simple, scx_latency=DURATION, FILE.bpf.o")
	    ->capture_default_str();
	CLI::Option* lab = app.add_flag("--lab", arguments->lab, "in the lab: a fresh boot an arm, virtual time");
	app.add_option("--kernel", arguments->kernel, "of the lab, for example 6.16 or 7.3")
	    ->capture_default_str()
	    ->needs(lab);
	app.add_option("--pps", arguments->rate, "packets a second")->capture_default_str();
	app.add_option("--duration", arguments->duration, "length of the measured window")->capture_default_str();
	app.add_option("--warmup", arguments->warmup, "the same load before it, not counted")->capture_default_str();
	app.add_option("--settle", arguments->settle, "idle time after an arm is set up")->capture_default_str();
	app.add_option("--ring", arguments->ring, "packets that wait at most; more are dropped")->capture_default_str();
	app.add_option("--packets", arguments->packets,
		       "ring (emulated), or real ones over virtual Ethernet: udp, recvmmsg, af_packet")
	    ->capture_default_str();
	app.add_option("--rx-usecs", arguments->rx_usecs,
		       "the card interrupts so many microseconds after the first packet (as ethtool -C)")
	    ->capture_default_str();
	app.add_option("--work", arguments->work, "work for each packet")->capture_default_str();
	app.add_option("--arrivals", arguments->arrivals, "constant, poisson, bursts or bursts:PACKETS")
	    ->capture_default_str();
	app.add_option("--seed", arguments->seed, "draws the arrivals")->capture_default_str();
	app.add_option("--background", arguments->background, "python (telemetry) or spin")->capture_default_str();
	app.add_option("--background-processes", arguments->background_processes, "default: two a CPU");
	CLI::Option* starts = app.add_option("--starts", arguments->starts,
					     "so many runs of each arm, each a little different, compared in pairs")
				  ->capture_default_str();
	app.add_option("--margin", arguments->margin,
		       "what difference would not matter, where there are several starts")
	    ->capture_default_str()
	    ->needs(starts);
	CLI::Option* search =
	    app.add_flag("--search", arguments->search,
			 "find the highest rate, up to --pps, of which each arm loses nothing, 1e-5 and 0.5 %");
	app.add_option("--cpus", arguments->cpus, "shared by both sides (default: the last CPU)");
	app.add_flag("--counters", arguments->counters,
		     "also count what each side uses, by perf events: they cost at each switch")
	    ->excludes(search);
	app.add_option("--html", arguments->html, "also write a page to this file")->excludes(search);
	app.add_option("--svg", arguments->svg, "also write the percentile plot alone to this file")->excludes(search);
	app.add_option("--frontier", arguments->frontier, "the same of the plot of latency against background work")
	    ->excludes(search);
	app.add_flag("--json", arguments->json, "print JSON instead of the table");
	return [arguments] { return bench(*arguments); };
}

}  // namespace punctual
