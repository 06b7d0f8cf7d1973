// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sim_options.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/units.h"
#include "bench/starts.h"

namespace punctual {
namespace {

constexpr size_t kCostsBytesMax = 1UL << 16;
constexpr u64 kPointsMax = 256;
constexpr u64 kDurationNsMax = 3600 * sim::kSecond;
constexpr int64_t kRingMax = 1 << 20, kBackgroundMax = 1 << 16, kThreadsMax = 256;

Result<u64> number_between(std::string_view option, int64_t value, int64_t least, int64_t most)
{
	if (value < least || value > most)
		return fail(ExitCode::usage, "{} {}: give {} to {}", option, value, least, most);
	return static_cast<u64>(value);
}

Result<u64> length_ns(std::string_view option, const std::string& text, u64 least_ns)
{
	const auto length = static_cast<u64>(TRY(parse_duration(text)).count());
	if (length < least_ns || length > kDurationNsMax)
		return fail(ExitCode::usage, "{} {}: give {} to 1h", option, text, least_ns ? "1ms" : "0");
	return length;
}

Result<std::vector<std::vector<sim::CpuPlace>>> read_machines(const SimArguments& arguments)
{
	const int given = !arguments.cpus.empty() + !arguments.topology.empty() + !arguments.topology_from.empty();
	if (given > 1)
		return fail(ExitCode::usage, "--cpus, --topology and --topology-from exclude each other");
	std::vector<std::vector<sim::CpuPlace>> machines;
	if (!arguments.topology_from.empty()) {
		machines.push_back(TRY(sim::read_topology(arguments.topology_from)));
		return machines;
	}
	for (const std::string& word : split_list(!arguments.topology.empty() ? arguments.topology
						  : arguments.cpus.empty()    ? "1"
									      : arguments.cpus)) {
		Result<std::vector<sim::CpuPlace>> machine = sim::parse_topology(word);
		const bool is_number = word.find('x') == std::string::npos;
		if (!arguments.cpus.empty() && (!machine || !is_number))
			return fail(ExitCode::usage, "--cpus {}: give a number from 1 to {}, or use --topology", word,
				    CPUS_MAX);
		if (!machine)
			return std::unexpected(machine.error());
		machines.push_back(std::move(*machine));
	}
	return machines;
}

// "packets", "packets:8", "packets:cpu"
Result<u32> parse_load(const std::string& text, size_t nr_cpus)
{
	constexpr std::string_view kPackets = "packets";
	const std::string_view rest = std::string_view(text).substr(std::min(text.size(), kPackets.size()));
	u32 number = 1;
	if (text.starts_with(kPackets) && rest == ":cpu")
		return static_cast<u32>(nr_cpus);
	if (text.starts_with(kPackets) && rest.starts_with(":")) {
		const char* end = rest.data() + rest.size();
		const auto [at, error] = std::from_chars(rest.data() + 1, end, number);
		if (error == std::errc() && at == end && number >= 1 && number <= CPUS_MAX)
			return number;
	} else if (text == kPackets) {
		return number;
	}
	return fail(
	    ExitCode::usage,
	    "unknown load '{}' (packets: one packet function; packets:N: so many, at most {}; packets:cpu: one a "
	    "CPU; FILE.json: a workload of rt-app, in `punctual sim` without sweep)",
	    text, CPUS_MAX);
}

Result<sim::SimLoad> read_load(const SimArguments& arguments)
{
	sim::SimLoad load;
	load.work_ns = TRY(length_ns("--work", arguments.work, 0));
	load.warmup_ns = TRY(length_ns("--warmup", arguments.warmup, 0));
	load.duration_ns = TRY(read_duration(arguments));
	load.background = TRY(sim::parse_sim_background(arguments.background));
	load.background_name = arguments.background;
	TRY(sim::parse_sim_arrivals(arguments.arrivals, &load.nic));
	load.nic.imix = arguments.imix;
	load.nic.ring = static_cast<u32>(TRY(number_between("--ring", arguments.ring, 1, kRingMax)));
	load.nic.coalesce_ns = 1000 * TRY(number_between("--rx-usecs", arguments.rx_usecs, 0, 1'000'000));
	load.hz = TRY(read_hz(arguments));
	load.nr_background = static_cast<u32>(
	    TRY(number_between("--background-processes", arguments.background_processes, 0, kBackgroundMax)));
	return load;
}

}  // namespace

std::vector<std::string> split_list(const std::string& text)
{
	std::vector<std::string> words;
	for (size_t from = 0; from <= text.size();) {
		const size_t end = std::min(text.find(',', from), text.size());
		words.push_back(text.substr(from, end - from));
		from = end + 1;
	}
	return words;
}

Result<u32> read_hz(const SimArguments& arguments)
{
	return static_cast<u32>(TRY(number_between("--hz", arguments.hz, 100, 1000)));
}

Result<u64> read_duration(const SimArguments& arguments)
{
	return length_ns("--duration", arguments.duration, sim::kMillisecond);
}

Result<std::vector<sim::CpuPlace>> read_machine(const SimArguments& arguments)
{
	std::vector<std::vector<sim::CpuPlace>> machines = TRY(read_machines(arguments));
	if (machines.size() != 1)
		return fail(ExitCode::usage, "one machine at a time here: lists are for `punctual sim sweep`");
	return std::move(machines[0]);
}

Result<SimStudy> read_policies(const SimArguments& arguments)
{
	SimStudy study;
	study.policies = TRY(sim::parse_policies(arguments.policies));
	study.seed = TRY(number_between("--seed", arguments.seed, 0, INT64_MAX / 2));
	study.nr_starts = TRY(number_between("--starts", arguments.starts, 1, static_cast<int64_t>(kStartsMax)));
	study.nr_threads = static_cast<u32>(TRY(number_between("--threads", arguments.threads, 0, kThreadsMax)));
	study.costs = sim::default_costs();
	if (!arguments.costs.empty())
		study.costs = TRY(sim::parse_costs(TRY(read_file(arguments.costs, kCostsBytesMax)), arguments.costs));
	return study;
}

Result<SimStudy> read_study(const SimArguments& arguments)
{
	SimStudy study = TRY(read_policies(arguments));
	const sim::SimLoad load = TRY(read_load(arguments));
	for (const std::vector<sim::CpuPlace>& places : TRY(read_machines(arguments)))
		for (const std::string& rate : split_list(arguments.rate)) {
			sim::SimLoad point = load;
			point.places = places;
			point.nr_functions = TRY(parse_load(arguments.load, places.size()));
			point.rate_per_s = TRY(parse_rate(rate));
			study.points.push_back(std::move(point));
		}
	if (study.points.size() > kPointsMax)
		return fail(ExitCode::usage, "{} machines and rates are more than {}: split the sweep",
			    study.points.size(), kPointsMax);
	return study;
}

void add_sim_options(CLI::App& app, SimArguments& arguments, bool is_sweep)
{
	const auto text = [&](const char* name, std::string& value, const char* what) {
		CLI::Option* option = app.add_option(name, value, what);
		if (!value.empty())
			option->capture_default_str();
	};
	const auto number = [&](const char* name, int64_t& value, const char* what) {
		app.add_option(name, value, what)->capture_default_str();
	};
	text("--cpus", arguments.cpus,
	     is_sweep ? "a list of numbers of CPUs, of one cache each" : "CPUs, of one cache");
	text("--topology", arguments.topology, "nodes x caches x cores x threads, for example 2x8x8x2");
	text("--topology-from", arguments.topology_from, "a copy of /sys/devices/system, or that of this machine");
	text("--policy", arguments.policies, "what to compare: eevdf, fifo, queue, scx_latency=DURATION");
	text("--load", arguments.load,
	     is_sweep ? "packets (one packet function), packets:N, packets:cpu"
		      : "packets (one packet function), packets:N, packets:cpu, or files of rt-app, for example "
			"a.json,b.json");
	if (!is_sweep) {
		text("--trace", arguments.trace, "text of `perf sched script` to replay instead of a load");
		text("--urgent", arguments.urgent,
		     "of --load FILE.json and --trace: names of the tasks with the budget");
		text("--perfetto", arguments.perfetto, "also write who ran when to this file, for ui.perfetto.dev");
	}
	text("--pps", arguments.rate, is_sweep ? "a list of rates" : "packets a second, of each packet function");
	text("--arrivals", arguments.arrivals, "constant, poisson, bursts, bursts:PACKETS, on-off or mmpp");
	app.add_flag("--imix", arguments.imix, "packets of three sizes, which cost one, two and four times the work");
	text("--work", arguments.work, "work for each packet");
	number("--ring", arguments.ring, "packets that wait at most; more are dropped");
	number("--rx-usecs", arguments.rx_usecs, "the card interrupts so many microseconds after the first packet");
	text("--background", arguments.background, "spin, python, gc, scrapes or none");
	number("--background-processes", arguments.background_processes, "0: two a CPU");
	text("--warmup", arguments.warmup, "the same load before what is counted");
	text("--duration", arguments.duration, "of what is counted");
	number("--hz", arguments.hz, "ticks a second");
	text("--costs", arguments.costs, "a file of `punctual sim calibrate`");
	number("--seed", arguments.seed, "of everything that is random");
	CLI::Option* starts =
	    app.add_option("--starts", arguments.starts,
			   "so many runs of each policy, each with another seed, compared in pairs; thirty in a sweep");
	if (!is_sweep)
		starts->capture_default_str();
	text("--margin", arguments.margin, "what difference would not matter, where there are several starts");
	number("--threads", arguments.threads, "0: one a CPU of this machine");
	text("--frontier", arguments.frontier, "also write the plot of latency against background work to this file");
	app.add_flag("--json", arguments.json, "print JSON instead of the table");
}

}  // namespace punctual
