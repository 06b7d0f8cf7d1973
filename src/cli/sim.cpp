// SPDX-License-Identifier: GPL-2.0-only
// punctual sim: the bench on a machine that is simulated, sweeps of it, its costs; and the policy asked again what a
// kernel's scheduler asked it.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "bench/result_json.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/sim_calibrate.h"
#include "cli/sim_options.h"
#include "cli/sim_result.h"
#include "cli/sim_scripts.h"
#include "cli/sim_trace.h"
#include "scope/budget_option.h"
#include "sim/replay.h"
#include "sim/simulation.h"
#include "view/bench_page.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kRecordingBytesMax = 1UL << 30;  // four times what `run` writes
constexpr size_t kLabBytesMax = 64UL << 20;
constexpr int64_t kSweepStarts = 30;

void print_report(const sim::ReplayReport& report)
{
	for (u32 kind = DECISION_END + 1; kind < DECISION_KINDS; kind++)
		fmt::print("{:<22}{:>10}\n", sim::decision_name(kind), report.nr_records[kind]);
	fmt::print("{} decisions of kernel {}: {} differ here\n", report.nr_decisions(), clean_text(report.kernel),
		   report.nr_differing);
	if (report.nr_differing)
		fmt::print("{}\n", report.first_difference);
}

Result<ExitCode> replay_file(const std::string& path)
{
	const std::string bytes = TRY(read_file(path, kRecordingBytesMax));
	auto report = sim::replay(std::as_bytes(std::span(bytes)));
	if (!report)
		return fail(report.error().code, "{}: {}", path, report.error().what);
	print_report(*report);
	if (report->nr_differing)
		return ExitCode::failed;
	if (!report->is_complete())
		return fail(ExitCode::invalid, "{} is not complete: {} decisions were lost, {} left out{}", path,
			    report->nr_lost, report->nr_left_out,
			    report->is_cut ? ", and it ends before the scheduler did" : "");
	if (report->nr_decisions() == 0)
		return fail(ExitCode::invalid, "{} has no decisions: nothing was compared", path);
	return ExitCode::ok;
}

std::string point_name(const sim::SimLoad& load)
{
	return fmt::format("{}, {} packets/s", topology_text(load.places), load.rate_per_s);
}

// All points in one plot: each arm with its point, and background work against the first arm of its own point.
BenchReport frontier_of(const std::vector<BenchReport>& reports, const SimStudy& study)
{
	BenchReport all;
	for (size_t i = 0; i < reports.size(); i++)
		for (BenchRow row : reports[i].rows) {
			const double first = reports[i].rows[0].background_work;
			if (first > 0)
				row.background_work /= first;
			for (BenchRun& run : row.runs)
				run.background_work /= first > 0 ? first : 1;
			if (reports.size() > 1)
				row.name += fmt::format(", {} CPUs, {}/s", study.points[i].places.size(),
							study.points[i].rate_per_s);
			all.rows.push_back(std::move(row));
		}
	return all;
}

Status refuse_unusable_files(const SimArguments& arguments)
{
	for (const std::string& file : {arguments.html, arguments.frontier, arguments.perfetto}) {
		const std::filesystem::path directory = std::filesystem::path(file).parent_path();
		if (!file.empty() && ::access(directory.empty() ? "." : directory.c_str(), W_OK) != 0)
			return fail_errno(errno, ExitCode::usage, fmt::format("cannot write {}", file));
	}
	return {};
}

// The first start of each policy once more: the same run, and now with what ran when.
std::string perfetto_of(const SimStudy& study)
{
	PerfettoRuns trace;
	const sim::SimLoad& load = study.points[0];
	for (const sim::PolicyChoice& policy : study.policies) {
		sim::Scenario scenario = sim::scenario_of(load, policy, study.costs, study.seed, 0);
		scenario.keep_trace = true;
		const sim::Outcome outcome = sim::simulate(scenario);
		if (!add_to_perfetto(trace, policy.name, scenario, outcome, [&](u32 task) {
			    return task < load.nr_functions ? fmt::format("packet function {}", task)
							    : fmt::format("background {}", task - load.nr_functions);
		    }))
			fmt::print(stderr, "{}: too long for a trace, its end is left out\n", policy.name);
	}
	return trace.bytes();
}

Result<ExitCode> simulate_points(const SimArguments& arguments)
{
	const SimStudy study = TRY(read_study(arguments));
	const double margin = TRY(parse_percent(arguments.margin, "--margin", 0, 100)) / 100.0;
	TRY(refuse_unusable_files(arguments));
	StopSignal stop = TRY(StopSignal::create());
	const SimStudyResult result = run_study(study, stop);
	std::vector<BenchReport> reports;
	for (size_t i = 0; i < result.points.size(); i++) {
		if (result.points[i].starts.empty())
			continue;
		reports.push_back(bench_report(result.points[i].starts, {}, BenchPlace::simulator, margin));
		if (arguments.json)
			continue;
		fmt::print("{}{}",
			   result.points.size() > 1 ? fmt::format("\n== {} ==\n", point_name(study.points[i])) : "",
			   bench_text(reports.back()));
	}
	if (reports.empty())
		return fail(ExitCode::interrupted, "interrupted before anything was counted");
	if (arguments.json)
		fmt::print("{}", study_to_json(result, margin));
	if (!arguments.html.empty())
		TRY(replace_file(arguments.html, bench_html(reports[0])));
	if (!arguments.perfetto.empty() && !result.was_stopped)
		TRY(replace_file(arguments.perfetto, perfetto_of(study)));
	if (!arguments.frontier.empty())
		TRY(replace_file(arguments.frontier, bench_frontier_svg(frontier_of(reports, study))));
	if (result.was_stopped)
		return fail(ExitCode::interrupted, "interrupted: these are the figures so far");
	return ExitCode::ok;
}

Result<ExitCode> calibrate_from(const std::string& path, const std::string& output)
{
	const std::string text = TRY(read_file(path, kLabBytesMax));
	const auto lab = bench_from_json(text);
	if (!lab)
		return fail(ExitCode::usage, "{}: {} (give a file of `punctual bench --lab --json`)", path,
			    lab.error().what);
	const auto calibration = calibrate(*lab);
	if (!calibration)
		return fail(calibration.error().code, "{}: {}", path, calibration.error().what);
	fmt::print(stderr, "{}", calibration->notes);
	const std::string costs = costs_toml(calibration->costs);
	if (output.empty())
		fmt::print("{}", costs);
	else
		TRY(replace_file(output, costs));
	return ExitCode::ok;
}

}  // namespace

Action setup_sim(CLI::App& app)
{
	auto replayed = std::make_shared<std::string>();
	auto one = std::make_shared<SimArguments>();
	auto many = std::make_shared<SimArguments>();
	auto lab_file = std::make_shared<std::string>();
	auto costs_file = std::make_shared<std::string>();

	app.add_option("--replay", *replayed,
		       "recording of `punctual run --record-decisions`: would all be decided so here?");
	add_sim_options(app, *one, false);
	app.add_option("--html", one->html, "also write a page to this file");
	CLI::App* sweep = app.add_subcommand("sweep", "the same over machines and rates, thirty starts of each");
	many->starts = kSweepStarts;
	add_sim_options(*sweep, *many, true);
	CLI::App* calibration = app.add_subcommand("calibrate", "costs from a bench in the lab");
	calibration->add_option("FILE", *lab_file, "of `punctual bench --lab --background spin --json`")->required();
	calibration->add_option("--output", *costs_file, "write them to this file instead of standard output");
	return [=, &app]() -> Result<ExitCode> {
		if (sweep->parsed())
			return simulate_points(*many);
		if (calibration->parsed())
			return calibrate_from(*lab_file, *costs_file);
		if (!replayed->empty())
			return replay_file(*replayed);
		if (one->rate.find(',') != std::string::npos || one->cpus.find(',') != std::string::npos ||
		    one->topology.find(',') != std::string::npos)
			return fail(ExitCode::usage, "lists of machines or rates are for `punctual sim sweep`");
		one->duration_given = app.count("--duration") > 0;
		TRY(refuse_unusable_files(*one));
		return is_script_load(*one) ? simulate_scripts(*one) : simulate_points(*one);
	};
}

}  // namespace punctual
