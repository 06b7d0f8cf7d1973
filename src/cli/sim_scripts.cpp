// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sim_scripts.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/stop.h"
#include "base/units.h"
#include "cli/sim_trace.h"
#include "sim/perf_trace.h"
#include "sim/rtapp.h"
#include "sim/simulation.h"
#include "view/number.h"
#include "view/table.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr u64 kLengthNs = 10 * sim::kSecond;  // of what has no length of its own and does not end
constexpr u64 kTraceTimesMax = 20;            // a trace of many CPUs takes longer on fewer
constexpr size_t kTraceBytesMax = 256UL << 20, kLoadBytesMax = 4UL << 20;

struct Loaded {
	sim::ScriptLoad load;
	std::vector<sim::CpuPlace> places;
	std::string facts;  // about the trace, in a line
	u64 longest_ns = 0;
};

struct Arm {
	sim::PolicyChoice policy;
	sim::Outcome outcome;
	std::vector<sim::TaskRecord> rows;
	std::vector<u64> nr_tasks;
	u64 done_ns = 0;
};

bool has_machine(const SimArguments& arguments)
{
	return !arguments.cpus.empty() || !arguments.topology.empty() || !arguments.topology_from.empty();
}

Result<Loaded> load_trace(const SimArguments& arguments)
{
	sim::PerfTrace trace =
	    TRY(sim::parse_perf_trace(TRY(read_file(arguments.trace, kTraceBytesMax)), clean_text(arguments.trace)));
	Loaded loaded;
	loaded.places = has_machine(arguments) ? TRY(read_machine(arguments))
					       : TRY(sim::parse_topology(std::to_string(trace.nr_cpus)));
	loaded.longest_ns = trace.length_ns * kTraceTimesMax + sim::kSecond;
	loaded.facts = fmt::format(
	    "trace of {} on {} CPUs: {} tasks ran {}; {} wakeups by tasks, {} from outside, {} not "
	    "seen, {} switches that do not fit together\n",
	    format_duration(Nanoseconds(trace.length_ns)), trace.nr_cpus, trace.load.tasks.size(),
	    format_duration(Nanoseconds(trace.load.demand_ns)), trace.nr_edges, trace.nr_outside, trace.nr_not_seen,
	    trace.nr_inconsistent);
	loaded.load = std::move(trace.load);
	return loaded;
}

Result<Loaded> load_rtapp(const SimArguments& arguments)
{
	Loaded loaded;
	std::vector<sim::RtappFile> files;

	loaded.places = TRY(read_machine(arguments));
	for (const std::string& file : split_list(arguments.load))
		files.push_back({clean_text(file), TRY(read_file(file, kLoadBytesMax))});
	loaded.load = TRY(sim::parse_rtapp(files, static_cast<u32>(loaded.places.size())));
	loaded.longest_ns = loaded.load.duration_ns ? loaded.load.duration_ns : kLengthNs;
	return loaded;
}

// Which tasks have the budget, and run in real time in the arm fifo: those that were named, else those that the file
// says.
Status choose_urgent(const SimArguments& arguments, sim::ScriptLoad& load)
{
	if (!arguments.urgent.empty()) {
		load.is_urgent.assign(load.rows.size(), false);
		for (const std::string& name : split_list(arguments.urgent)) {
			const auto row = std::ranges::find(load.rows, name);
			if (row == load.rows.end())
				return fail(ExitCode::usage, "--urgent {}: no task has that name", clean_text(name));
			load.is_urgent[static_cast<size_t>(row - load.rows.begin())] = true;
		}
	}
	for (sim::TaskSpec& task : load.tasks)
		task.class_index = load.is_urgent[task.row] ? 0 : sim::kNoClass;
	return {};
}

sim::Scenario scenario_of(const Loaded& loaded, const sim::PolicyChoice& policy, const sim::CostTable& costs, u64 seed,
			  u32 hz)
{
	sim::Scenario scenario;
	scenario.seed = seed;
	scenario.policy = policy.kind;
	scenario.audit = false;
	scenario.machine.places = loaded.places;
	scenario.machine.nr_cpus = static_cast<u32>(loaded.places.size());
	scenario.machine.hz = hz;
	scenario.machine.costs = costs.of(policy.kind);
	scenario.classes = {{policy.budget_ns}};
	scenario.groups = loaded.load.groups;
	scenario.tasks = loaded.load.tasks;
	scenario.nr_rows = static_cast<u32>(loaded.load.rows.size());
	scenario.duration_ns = loaded.longest_ns;
	return scenario;
}

void count_rows(const sim::Scenario& scenario, Arm& arm)
{
	arm.rows.resize(scenario.nr_rows);
	arm.nr_tasks.resize(scenario.nr_rows);
	for (size_t i = 0; i < scenario.tasks.size(); i++) {
		const sim::TaskRecord& record = arm.outcome.counted[i];
		sim::TaskRecord& row = arm.rows[scenario.tasks[i].row];
		arm.nr_tasks[scenario.tasks[i].row]++;
		row.cpu_ns += record.cpu_ns;
		row.own_work_ns += record.own_work_ns;
		row.nr_waits += record.nr_waits;
		row.nr_preempted += record.nr_preempted;
		row.nr_migrations += record.nr_migrations;
		arm.done_ns += record.own_work_ns;
	}
}

u64 length_of(const Arm& arm, const Loaded& loaded)
{
	if (arm.outcome.stopped_ns)
		return arm.outcome.stopped_ns;
	return arm.outcome.ended_ns ? arm.outcome.ended_ns : loaded.longest_ns;
}

void print_arm(const Arm& arm, const Loaded& loaded)
{
	Table table;
	table.columns = {{"task", false}, {"urgent", false}, {"tasks"},  {"work ms"},   {"CPU ms"},    {"waits"},
			 {"p50 us"},      {"p99 us"},        {"max us"}, {"preempted"}, {"migrations"}};
	for (size_t i = 0; i < arm.rows.size(); i++) {
		const sim::TaskRecord& row = arm.rows[i];
		const Histogram& waits = arm.outcome.rows[i];
		table.rows.push_back({{{loaded.load.rows[i]},
				       {loaded.load.is_urgent[i] ? "yes" : ""},
				       {count_text(arm.nr_tasks[i])},
				       {fmt::format("{:.3f}", static_cast<double>(row.own_work_ns) / 1e6)},
				       {fmt::format("{:.3f}", static_cast<double>(row.cpu_ns) / 1e6)},
				       {count_text(row.nr_waits)},
				       {us_text(waits.quantile_ns(0.5))},
				       {us_text(waits.quantile_ns(0.99))},
				       {us_text(waits.max_ns())},
				       {count_text(row.nr_preempted)},
				       {count_text(row.nr_migrations)}}});
	}
	fmt::print("\n== {} ==\n{}", arm.policy.name, table_text(table));
	fmt::print("{} simulated; {} scripts had not ended", format_duration(Nanoseconds(length_of(arm, loaded))),
		   arm.outcome.nr_unfinished);
	if (loaded.load.demand_ns)
		fmt::print("; {:.3f} % of the recorded running time replayed",
			   100.0 * static_cast<double>(arm.done_ns) / static_cast<double>(loaded.load.demand_ns));
	fmt::print("\n");
}

Json json_of(const Arm& arm, const Loaded& loaded)
{
	Json tasks = Json::array();
	for (size_t i = 0; i < arm.rows.size(); i++) {
		const Histogram& waits = arm.outcome.rows[i];
		tasks.push_back({{"name", clean_text(loaded.load.rows[i])},
				 {"urgent", static_cast<bool>(loaded.load.is_urgent[i])},
				 {"tasks", arm.nr_tasks[i]},
				 {"work_ns", arm.rows[i].own_work_ns},
				 {"cpu_ns", arm.rows[i].cpu_ns},
				 {"waits", arm.rows[i].nr_waits},
				 {"p50_ns", waits.quantile_ns(0.5)},
				 {"p99_ns", waits.quantile_ns(0.99)},
				 {"max_ns", waits.max_ns()},
				 {"preempted", arm.rows[i].nr_preempted},
				 {"migrations", arm.rows[i].nr_migrations}});
	}
	return {{"name", arm.policy.name},
		{"budget_ns", arm.policy.budget_ns},
		{"length_ns", length_of(arm, loaded)},
		{"unfinished", arm.outcome.nr_unfinished},
		{"work_ns", arm.done_ns},
		{"tasks", tasks}};
}

void print_json(const std::vector<Arm>& arms, const Loaded& loaded, u64 seed)
{
	Json list = Json::array(), missing = Json::array();
	u64 nr_events = 0;
	for (const Arm& arm : arms) {
		list.push_back(json_of(arm, loaded));
		nr_events += arm.outcome.nr_events;
	}
	for (const std::string& what : loaded.load.not_modelled)
		missing.push_back(clean_text(what));
	fmt::print("{}\n", Json{{"schema", "punctual.sim.tasks"},
				{"version", 1},
				{"machine", topology_text(loaded.places)},
				{"seed", seed},
				{"events", nr_events},
				{"demand_ns", loaded.load.demand_ns},
				{"not_modelled", missing},
				{"arms", list}}
			       .dump());
}

void print_text(const std::vector<Arm>& arms, const Loaded& loaded)
{
	fmt::print("simulated: {}\n{}", topology_text(loaded.places), loaded.facts);
	for (const std::string& what : loaded.load.not_modelled)
		fmt::print("not modelled: {}\n", clean_text(what));
	if (std::ranges::find(loaded.load.is_urgent, true) == loaded.load.is_urgent.end())
		fmt::print("no task has a budget, so budgets make no difference: name some with --urgent\n");
	for (const Arm& arm : arms)
		print_arm(arm, loaded);
}

}  // namespace

bool is_script_load(const SimArguments& arguments)
{
	return !arguments.trace.empty() || arguments.load.find(".json") != std::string::npos ||
	       arguments.load.find('/') != std::string::npos;
}

Result<ExitCode> simulate_scripts(const SimArguments& arguments)
{
	const SimArguments& given = arguments;
	const SimStudy study = TRY(read_policies(given));
	const u32 hz = TRY(read_hz(given));
	Loaded loaded = TRY(given.trace.empty() ? load_rtapp(given) : load_trace(given));
	PerfettoRuns trace;
	std::vector<Arm> arms;

	if (given.duration_given)
		loaded.longest_ns =
		    std::min(TRY(read_duration(given)), loaded.load.duration_ns ? loaded.load.duration_ns : ~0ULL);
	TRY(choose_urgent(given, loaded.load));
	StopSignal stop = TRY(StopSignal::create());
	for (const sim::PolicyChoice& policy : study.policies) {
		sim::Scenario scenario = scenario_of(loaded, policy, study.costs, study.seed, hz);
		scenario.keep_trace = !given.perfetto.empty();
		Arm arm{policy, sim::simulate(scenario, [&](u64) { return !stop.raised(); }), {}, {}, 0};
		count_rows(scenario, arm);
		if (scenario.keep_trace && !add_to_perfetto(trace, policy.name, scenario, arm.outcome, [&](u32 task) {
			    return loaded.load.rows[loaded.load.tasks[task].row];
		    }))
			fmt::print(stderr, "{}: too long for a trace, its end is left out\n", policy.name);
		arm.outcome.runs.clear();
		arm.outcome.trace.clear();
		arms.push_back(std::move(arm));
		if (stop.raised())
			break;
	}
	if (given.json)
		print_json(arms, loaded, study.seed);
	else
		print_text(arms, loaded);
	if (!given.perfetto.empty())
		TRY(replace_file(given.perfetto, trace.bytes()));
	if (stop.raised())
		return fail(ExitCode::interrupted, "interrupted: these are the figures so far");
	return ExitCode::ok;
}

}  // namespace punctual
