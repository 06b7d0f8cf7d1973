// SPDX-License-Identifier: GPL-2.0-only
#include "sim/load.h"

#include <algorithm>
#include <charconv>

#include "base/units.h"
#include "sim/random.h"

namespace punctual::sim {
namespace {

constexpr size_t kPoliciesMax = 64;
constexpr u32 kBurstDefault = 32, kBurstMax = 1 << 16;
constexpr u64 kSettleSpreadNs = 40 * kMillisecond;  // as starts of the bench: no tick divides it
constexpr u64 kDrainNs = 50 * kMillisecond;         // until rings are empty: several turns
constexpr u64 kLoopNs = 167;  // of the packet function around the work of a packet, as the bench's has it in the lab
constexpr u64 kNsPerSecond = kSecond;

template <typename T>
struct Choice {
	std::string_view name;
	T value;
};

constexpr Choice<PolicyKind> kPolicies[] = {
    {"eevdf", PolicyKind::eevdf}, {"fifo", PolicyKind::realtime}, {"queue", PolicyKind::queue}};
constexpr Choice<SimBackground> kBackgrounds[] = {{"spin", SimBackground::spin},
						  {"python", SimBackground::python},
						  {"gc", SimBackground::gc},
						  {"scrapes", SimBackground::scrapes},
						  {"none", SimBackground::none}};
constexpr Choice<Arrivals> kArrivals[] = {{"constant", Arrivals::constant},
					  {"poisson", Arrivals::poisson},
					  {"bursts", Arrivals::bursts},
					  {"on-off", Arrivals::on_off},
					  {"mmpp", Arrivals::mmpp}};

Result<PolicyChoice> parse_policy(std::string_view name)
{
	constexpr std::string_view kLatency = "scx_latency";
	const auto* fixed = std::ranges::find(kPolicies, name, &Choice<PolicyKind>::name);

	if (fixed != std::end(kPolicies))
		return PolicyChoice{std::string(name), fixed->value, 0};
	if (name != kLatency && !name.starts_with("scx_latency="))
		return fail(ExitCode::usage,
			    "unknown policy '{}' (choose from eevdf, fifo, queue, scx_latency=DURATION)", name);
	const auto budget = parse_duration(name == kLatency ? "" : name.substr(kLatency.size() + 1));
	if (!budget || static_cast<u64>(budget->count()) < BUDGET_NS_MIN ||
	    static_cast<u64>(budget->count()) > BUDGET_NS_MAX)
		return fail(ExitCode::usage, "policy '{}' needs a budget from 1us to 1s, for example scx_latency=60us",
			    name);
	return PolicyChoice{std::string(name), PolicyKind::latency, static_cast<u64>(budget->count())};
}

TaskSpec packet_function_of(const SimLoad& load, Random& phases)
{
	TaskSpec task;
	task.program = Program::packets;
	task.class_index = 0;
	task.run_ns = load.work_ns + kLoopNs;
	task.nic = load.nic;
	task.nic.interval_ns = std::max<u64>(kNsPerSecond / load.rate_per_s, 1);
	if (load.nic.arrivals == Arrivals::bursts)
		task.nic.interval_ns = kNsPerSecond * load.nic.burst / load.rate_per_s;
	task.start_ns = phases.below(task.nic.interval_ns);
	return task;
}

TaskSpec background_of(SimBackground kind, u32 number, u64 duration_ns, Random& phases)
{
	TaskSpec task;

	switch (kind) {
	case SimBackground::python:  // what telemetry.py does in the lab: up to 35 us in the kernel, a few in the mean
		task.section_ns = 6 * kMicrosecond;
		task.section_every_ns = 120 * kMicrosecond;
		break;
	case SimBackground::gc:
		task.program = Program::sleeper;
		task.varies = true;
		task.run_ns = number % 2 ? 10 * kMillisecond : 500 * kMicrosecond;
		task.sleep_ns = number % 2 ? 190 * kMillisecond : 100 * kMicrosecond;
		break;
	case SimBackground::scrapes:
		task.program = Program::sleeper;
		task.run_ns = 30 * kMillisecond;
		task.sleep_ns = 15 * kSecond;
		task.start_ns = phases.below(std::min(duration_ns, task.sleep_ns));
		break;
	default:
		break;
	}
	return task;
}

}  // namespace

Result<std::vector<PolicyChoice>> parse_policies(std::string_view text)
{
	std::vector<PolicyChoice> policies;
	for (bool more = true; more;) {
		const size_t end = std::min(text.find(','), text.size());
		policies.push_back(TRY(parse_policy(text.substr(0, end))));
		more = end < text.size();
		text.remove_prefix(std::min(end + 1, text.size()));
		if (policies.size() > kPoliciesMax)
			return fail(ExitCode::usage, "more than {} policies are too many for one run", kPoliciesMax);
	}
	return policies;
}

Result<SimBackground> parse_sim_background(std::string_view text)
{
	const auto* choice = std::ranges::find(kBackgrounds, text, &Choice<SimBackground>::name);
	if (choice == std::end(kBackgrounds))
		return fail(ExitCode::usage, "unknown background '{}' (spin, python, gc, scrapes or none)", text);
	return choice->value;
}

Status parse_sim_arrivals(std::string_view text, NicSpec* nic)
{
	const size_t colon = std::min(text.find(':'), text.size());
	const auto* choice = std::ranges::find(kArrivals, text.substr(0, colon), &Choice<Arrivals>::name);
	const bool has_number = colon < text.size();

	if (choice == std::end(kArrivals) || (has_number && choice->value != Arrivals::bursts))
		return fail(ExitCode::usage,
			    "unknown arrivals '{}' (constant, poisson, bursts, bursts:PACKETS, on-off or mmpp)", text);
	nic->arrivals = choice->value;
	nic->burst = choice->value == Arrivals::bursts ? kBurstDefault : 1;
	if (!has_number)
		return {};
	const char* end = text.data() + text.size();
	const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, nic->burst);
	if (error != std::errc() || rest != end || nic->burst < 2 || nic->burst > kBurstMax)
		return fail(ExitCode::usage, "arrivals '{}': bursts have 2 to {} packets, for example bursts:{}", text,
			    kBurstMax, kBurstDefault);
	return {};
}

Scenario scenario_of(const SimLoad& load, const PolicyChoice& policy, const CostTable& costs, u64 seed, u64 start)
{
	Scenario scenario;
	Random phases(seed + start, ~1ULL);  // a stream of its own
	const u32 nr_cpus = static_cast<u32>(load.places.size());

	scenario.seed = seed + start;
	scenario.policy = policy.kind;
	scenario.audit = false;
	scenario.machine.places = load.places;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.machine.hz = load.hz;
	scenario.machine.costs = costs.of(policy.kind);
	scenario.classes = {{policy.budget_ns}};
	for (u32 i = 0; i < load.nr_functions; i++)
		scenario.tasks.push_back(packet_function_of(load, phases));
	scenario.count_from_ns = load.warmup_ns + (start ? phases.below(kSettleSpreadNs) : 0);
	scenario.count_until_ns = scenario.count_from_ns + load.duration_ns;
	scenario.duration_ns = scenario.count_until_ns + kDrainNs;
	if (load.background != SimBackground::none)
		for (u32 i = 0; i < (load.nr_background ? load.nr_background : 2 * nr_cpus); i++)
			scenario.tasks.push_back(background_of(load.background, i, scenario.duration_ns, phases));
	return scenario;
}

}  // namespace punctual::sim
