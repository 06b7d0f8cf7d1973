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
#include "cli/bench_lab.h"
#include "cli/commands.h"
#include "lab/kernel_table.h"
#include "view/bench_page.h"

#ifndef PUNCTUAL_GIT_HASH
#define PUNCTUAL_GIT_HASH "(built outside git)"
#endif

namespace punctual {
namespace {

// Up to here wake-ups between the CPUs of an emulated machine in virtual time come at the right moment.
constexpr size_t kFaithfulCpus = 2;

// As typed; read in the action, so that errors name the value and the remedy.
struct BenchArguments {
	std::string arms{kAllArms};
	std::string rate = "60k";
	std::string duration = "1s";
	std::string warmup = "300ms";
	std::string settle = "1s";
	std::string work = "2500ns";
	std::string arrivals = "constant";
	std::string background = "python";
	std::string cpus;
	std::string html;
	std::string svg;
	int64_t ring = 256;  // signed: a minus sign must not turn into a huge number
	int64_t seed = 1;
	int64_t background_processes = 0;
	std::string kernel{kDefaultKernel};
	bool lab = false;
	bool json = false;
};

// The options that the figures depend on, as a command line that gives them again. Written out in
// full, so that a change of a default does not change what it means.
std::vector<std::string> load_options(const BenchOptions& options)
{
	return {"--pps",
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
}

std::string repeat_command(const BenchArguments& arguments, const BenchOptions& options)
{
	const std::string where = arguments.lab ? fmt::format("--lab --kernel {} ", arguments.kernel) : "";
	return fmt::format("punctual bench {}--arms {} {}", where, arguments.arms,
			   fmt::join(load_options(options), " "));
}

bool is_load_fact(std::string_view name)
{
	constexpr std::string_view kLoad[] = {
	    "cpus",   "packets_per_s", "arrivals", "seed",       "ring_packets",        "work",
	    "warmup", "duration",      "settle",   "background", "background_processes"};
	return std::ranges::find(kLoad, name) != std::end(kLoad);
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
	options.arrivals = TRY(parse_arrivals(arguments.arrivals));
	options.background = TRY(parse_background(arguments.background));
	options.ring_packets = TRY(count_of("--ring", arguments.ring));
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
	for (const std::string& file : {arguments.html, arguments.svg}) {
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

std::vector<std::string> notes_of(const BenchResult& result, bool lab, size_t cpus)
{
	std::vector<std::string> notes;
	if (lab)
		notes = {
		    "Virtual time: one instruction takes 1 ns, and the same run gives the same figures. Ratios hold; "
		    "a real machine is faster, and has caches.",
		    "Every arm had a boot of its own, of the same image."};
	if (lab && cpus > kFaithfulCpus)
		notes.push_back(
		    fmt::format("{} virtual CPUs take turns: with more than {}, waits across CPUs are distorted.", cpus,
				kFaithfulCpus));
	if (lab)
		return notes;
	if (result.arms.size() > 1)
		notes.push_back(
		    "The arms ran one after the other on one boot, where the first has an advantage; "
		    "with --lab each has its own boot.");
	for (const ArmResult& arm : result.arms)
		if (arm.steal_ns > 0)
			notes.push_back(fmt::format("{}: the hypervisor took {} of CPU time: no absolute claim.",
						    arm.name, format_duration(Nanoseconds(arm.steal_ns))));
	return notes;
}

// Facts about the load are put apart from those about the machine.
BenchReport report_of(const BenchResult& result, const BenchArguments& arguments, const BenchOptions& options)
{
	BenchReport report;
	report.command = repeat_command(arguments, options);
	report.notes = notes_of(result, arguments.lab, options.cpus.size());
	for (const auto& [name, value] : result.environment) {
		std::string title = name;
		std::ranges::replace(title, '_', ' ');
		(is_load_fact(name) ? report.load : report.environment).push_back({std::move(title), value});
	}
	for (const ArmResult& arm : result.arms) {
		BenchRow row;
		row.name = arm.name;
		row.latency = arm.latency;
		row.offered = arm.offered;
		row.dropped = arm.dropped;
		row.window_ns = arm.window_ns;
		row.background_work = arm.background_per_s();
		row.context_switches = arm.context_switches();
		row.packet_cpu_ns = arm.vnf_cpu_ns;
		row.background_cpu_ns = arm.background_cpu_ns;
		row.cycle_ns = arguments.lab ? arm.cycle_ns() : 0;  // else instructions do not all take as long
		row.budget_ns = arm.budget_ns;
		report.rows.push_back(std::move(row));
	}
	return report;
}

Result<BenchResult> bench_here(const std::vector<Arm>& arms, const BenchOptions& options, StopSignal& stop)
{
	size_t number = 0;
	BenchResult result = TRY(run_bench(arms, options, stop, [&](const Arm& arm) {
		fmt::print(stderr, "bench: arm {} of {}: {}\n", ++number, arms.size(), arm.name);
	}));
	result.environment.emplace_back("punctual", PUNCTUAL_VERSION " " PUNCTUAL_GIT_HASH);
	return result;
}

Result<BenchResult> bench_in_guests(const std::vector<Arm>& arms, const BenchOptions& options,
				    const std::string& kernel, StopSignal& stop)
{
	const LabBench bench{kernel, options.cpus.cpus().back() + 1, load_options(options),
			     options.warmup + options.duration};
	BenchResult result = TRY(bench_in_lab(arms, bench, stop));
	result.environment.emplace_back("time", "virtual: 1 instruction is 1 ns");
	return result;
}

Result<ExitCode> bench(const BenchArguments& arguments)
{
	const std::vector<Arm> arms = TRY(parse_arms(arguments.arms));
	const BenchOptions options = TRY(read_options(arguments));
	TRY(refuse_unusable_files(arms, arguments));
	StopSignal stop = TRY(StopSignal::create());
	const BenchResult result = arguments.lab ? TRY(bench_in_guests(arms, options, arguments.kernel, stop))
						 : TRY(bench_here(arms, options, stop));
	const BenchReport report = report_of(result, arguments, options);
	if (!arguments.html.empty())
		TRY(replace_file(arguments.html, bench_html(report)));
	if (!arguments.svg.empty())
		TRY(replace_file(arguments.svg, bench_svg(report)));
	fmt::print("{}", arguments.json ? bench_to_json(result) : bench_text(report));
	return ExitCode::ok;
}

}  // namespace

Action setup_bench(CLI::App& app)
{
	auto arguments = std::make_shared<BenchArguments>();
	app.add_option(
	       "--arms", arguments->arms,
	       "what to compare, in this order: eevdf, eevdf-slice, eevdf-weight, eevdf-nice, fifo, scx_simple, "
	       "scx_latency=DURATION, FILE.bpf.o")
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
	app.add_option("--work", arguments->work, "work for each packet")->capture_default_str();
	app.add_option("--arrivals", arguments->arrivals, "constant, poisson, bursts or bursts:PACKETS")
	    ->capture_default_str();
	app.add_option("--seed", arguments->seed, "draws the arrivals")->capture_default_str();
	app.add_option("--background", arguments->background, "python (telemetry) or spin")->capture_default_str();
	app.add_option("--background-processes", arguments->background_processes, "default: two a CPU");
	app.add_option("--cpus", arguments->cpus, "shared by both sides (default: the last CPU)");
	app.add_option("--html", arguments->html, "also write a page to this file");
	app.add_option("--svg", arguments->svg, "also write the percentile plot alone to this file");
	app.add_flag("--json", arguments->json, "print JSON instead of the table");
	return [arguments] { return bench(*arguments); };
}

}  // namespace punctual
