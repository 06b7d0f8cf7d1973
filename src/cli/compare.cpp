// SPDX-License-Identifier: GPL-2.0-only
// punctual compare: did the waits of two recordings differ, or is that noise?
#include <array>
#include <cmath>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/waits_file.h"
#include "measure/bootstrap.h"
#include "scope/budget_option.h"
#include "view/number.h"
#include "view/table.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr BlockLength kBlocks = {500'000'000, 256};
constexpr std::array kQuantiles = {0.5, 0.9, 0.99, 0.999};
constexpr size_t kJudged = 2;  // the p99: named before anybody looks, so that nobody picks the quantile that suits
constexpr std::array<const char*, 4> kVerdictNames = {"better", "no difference", "worse", "inconclusive"};
constexpr std::array kVerdictCodes = {ExitCode::ok, ExitCode::ok, ExitCode::regression, ExitCode::inconclusive};

struct CompareArguments {
	std::string a;
	std::string b;
	std::string cgroup;
	std::string noise = "5%";
	bool json = false;
};

struct Comparison {
	WaitsFile a, b;
	std::vector<QuantileChange> changes;
	Judgement judgement;
	std::vector<std::string> notes;
};

std::string quantile_name(double quantile)
{
	return fmt::format("p{:g}", 100 * quantile);
}

double seconds_of(const WaitsFile& file)
{
	return static_cast<double>(file.blocks.end_ns() - file.blocks.start_ns()) / 1e9;
}

Status refuse_unusable(const WaitsFile& file)
{
	if (lost_share(file) > kLostShareMax)
		return fail(ExitCode::invalid, "{}: {} of {} events were lost, more than {:g} %: no verdict", file.path,
			    file.recording.total.losses.lost,
			    file.recording.total.losses.lost + file.recording.total.all().count(), 100 * kLostShareMax);
	if (waits_of(file).count() == 0)
		return fail(ExitCode::invalid, "{}: it has no waits to compare", file.path);
	return {};
}

// What else is different: then the scheduler may not be the reason.
std::vector<std::string> differences(const RecordingEnvironment& a, const RecordingEnvironment& b)
{
	std::vector<std::string> notes;
	auto look = [&](const char* name, const std::string& one, const std::string& other) {
		if (one != other)
			notes.push_back(fmt::format("they differ in {}: {} and {}", name,
						    one.empty() ? "none" : clean_text(one),
						    other.empty() ? "none" : clean_text(other)));
	};
	look("scheduler", a.scheduler, b.scheduler);
	look("host", a.host, b.host);
	look("kernel", a.kernel, b.kernel);
	look("CPU", a.cpu_model, b.cpu_model);
	look("number of CPUs", std::to_string(a.nr_cpus), std::to_string(b.nr_cpus));
	look("filter", a.filter, b.filter);
	return notes;
}

// Tasks that were rejected are a change of state too, but not of the scheduler.
void note_changes(const WaitsFile& file, std::vector<std::string>* notes)
{
	const std::vector<SchedulerChange>& changes = file.recording.changes;
	size_t nr = 0;
	for (size_t at = 1; at < changes.size(); at++)
		nr += changes[at].state.name != changes[at - 1].state.name ||
		      changes[at].state.enable_seq != changes[at - 1].state.enable_seq;
	if (nr)
		notes->push_back(
		    fmt::format("{}: the scheduler changed {} times meanwhile", clean_text(file.path), nr));
}

Result<Comparison> compare_files(const CompareArguments& arguments)
{
	const double noise = TRY(parse_percent(arguments.noise, "--noise", 0, 100)) / 100.0;
	Comparison comparison{TRY(read_waits_file(arguments.a, kBlocks, arguments.cgroup)),
			      TRY(read_waits_file(arguments.b, kBlocks, arguments.cgroup)),
			      {},
			      {},
			      {}};
	TRY(refuse_unusable(comparison.a));
	TRY(refuse_unusable(comparison.b));
	const auto a = comparison.a.blocks.whole_blocks(), b = comparison.b.blocks.whole_blocks();
	comparison.changes = compare_quantiles(a, b, kQuantiles);
	comparison.judgement = comparison.changes.empty()
				   ? Judgement{Verdict::inconclusive, "too short: less than two blocks of time"}
				   : judge(comparison.changes[kJudged], a.size(), b.size(), noise);
	comparison.notes = differences(comparison.a.recording.environment, comparison.b.recording.environment);
	note_changes(comparison.a, &comparison.notes);
	note_changes(comparison.b, &comparison.notes);
	return comparison;
}

std::string file_line(const char* name, const WaitsFile& file)
{
	return fmt::format("{}  {}: {:.1f} s under {}, {} waits, {} lost\n", name, clean_text(file.path),
			   seconds_of(file), clean_text(file.recording.environment.scheduler),
			   count_text(waits_of(file).count()), count_text(file.recording.total.losses.lost));
}

std::string change_text(double ratio)
{
	return fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

void print_text(const Comparison& comparison)
{
	Table table{{{"wait", false}, {"A us"}, {"B us"}, {"change"}, {"95 % from"}, {"to"}}, {}};
	for (const QuantileChange& change : comparison.changes)
		table.rows.push_back({{{quantile_name(change.quantile) + (change.is_firm() ? "" : " (few waits)")},
				       {us_text(std::llround(change.a_ns))},
				       {us_text(std::llround(change.b_ns))},
				       {change_text(change.ratio)},
				       {change_text(change.ratio_low)},
				       {change_text(change.ratio_high)}}});
	fmt::print("{}{}\n{}\n{}: p99 of B against A: {}\n", file_line("A", comparison.a), file_line("B", comparison.b),
		   table_text(table), kVerdictNames[static_cast<size_t>(comparison.judgement.verdict)],
		   comparison.judgement.reason);
	for (const std::string& note : comparison.notes)
		fmt::print("- {}\n", note);
}

Json file_json(const WaitsFile& file)
{
	return {{"path", clean_text(file.path)},
		{"scheduler", clean_text(file.recording.environment.scheduler)},
		{"duration_ns", file.blocks.end_ns() - file.blocks.start_ns()},
		{"samples", waits_of(file).count()},
		{"lost", file.recording.total.losses.lost},
		{"discarded", file.recording.total.losses.discarded},
		{"was_cut", file.recording.was_cut},
		{"blocks", file.blocks.whole_blocks().size()},
		{"block_ns", file.blocks.block_ns()}};
}

void print_json(const Comparison& comparison, const CompareArguments& arguments)
{
	Json json = {{"schema", "punctual.compare"},
		     {"version", 1},
		     {"verdict", kVerdictNames[static_cast<size_t>(comparison.judgement.verdict)]},
		     {"reason", comparison.judgement.reason},
		     {"judged", quantile_name(kQuantiles[kJudged])},
		     {"noise", arguments.noise},
		     {"cgroup", clean_text(arguments.cgroup)},
		     {"lost", comparison.a.recording.total.losses.lost + comparison.b.recording.total.losses.lost},
		     {"a", file_json(comparison.a)},
		     {"b", file_json(comparison.b)},
		     {"quantiles", Json::array()},
		     {"notes", comparison.notes}};
	for (const QuantileChange& change : comparison.changes)
		json["quantiles"].push_back({{"quantile", change.quantile},
					     {"a_ns", std::llround(change.a_ns)},
					     {"b_ns", std::llround(change.b_ns)},
					     {"ratio", change.ratio},
					     {"ratio_low", change.ratio_low},
					     {"ratio_high", change.ratio_high},
					     {"firm", change.is_firm()}});
	fmt::print("{}\n", json.dump(2));
}

}  // namespace

Action setup_compare(CLI::App& app)
{
	auto arguments = std::make_shared<CompareArguments>();
	app.add_option("A", arguments->a, "recording of `punctual record`, the one to compare with")->required();
	app.add_option("B", arguments->b, "recording that is judged")->required();
	app.add_option("--cgroup", arguments->cgroup, "only the waits of this cgroup");
	app.add_option("--noise", arguments->noise, "a smaller change of the p99 does not count")
	    ->capture_default_str();
	app.add_flag("-j,--json", arguments->json, "one JSON document");
	return [arguments]() -> Result<ExitCode> {
		const Comparison comparison = TRY(compare_files(*arguments));
		if (arguments->json)
			print_json(comparison, *arguments);
		else
			print_text(comparison);
		return kVerdictCodes[static_cast<size_t>(comparison.judgement.verdict)];
	};
}

}  // namespace punctual
