// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "bench/starts.h"
#include "cli/bench_counters.h"

namespace punctual {
namespace {

bool is_load_fact(std::string_view name)
{
	constexpr std::string_view kLoad[] = {"cpus",          "packet_functions",
					      "packets_per_s", "packets",
					      "arrivals",      "seed",
					      "ring_packets",  "rx_usecs",
					      "work",          "warmup",
					      "duration",      "settle",
					      "background",    "background_processes"};
	return std::ranges::find(kLoad, name) != std::end(kLoad);
}

std::vector<std::string> notes_of_lab(BenchPlace place, bool several_cpus)
{
	if (place == BenchPlace::lab_wall)
		return {
		    "The host's clock, in a guest: where that is emulated, latencies are mostly those of the emulator "
		    "and of what else the host does. That every packet is accounted for is what they show.",
		    "Every arm had a boot of its own, of the same image."};
	std::vector<std::string> notes = {
	    "Virtual time: one instruction takes 1 ns, and the same run gives the same figures. Ratios hold; "
	    "a real machine is faster, and has caches.",
	    "Every arm had a boot of its own, of the same image."};
	if (several_cpus)
		notes.emplace_back(
		    "The CPUs run side by side in rounds of 1 us: less than that is not told between them. Two boots "
		    "of each arm agreed to the digit.");
	return notes;
}

std::vector<std::string> notes_of_simulator()
{
	return {
	    "Simulated: the policy is that of the kernel, what it costs is in the file of costs, and there are no "
	    "caches. How far the figures are from the lab's is in docs/simulator.md."};
}

std::vector<std::string> notes_of(std::span<const BenchResult> starts)
{
	std::vector<std::string> notes;
	if (starts.size() == 1 && starts[0].arms.size() > 1)
		notes.push_back(
		    "The arms ran one after the other on one boot, where the first has an advantage; "
		    "with --lab each has its own boot.");
	for (size_t arm = 0; arm < starts[0].arms.size(); arm++)
		if (const ArmResult total = total_of(starts, arm); total.steal_ns > 0)
			notes.push_back(fmt::format("{}: the hypervisor took {} of CPU time: no absolute claim.",
						    total.name, format_duration(Nanoseconds(total.steal_ns))));
	return notes;
}

// Where the packets of an arm went, over all starts; empty for the emulated ring.
std::string packets_note(std::span<const BenchResult> starts, size_t arm)
{
	PacketAccount total;
	for (const BenchResult& start : starts)
		if (start.arms[arm].packets)
			add_account(total, *start.arms[arm].packets);
	return total.plane.empty() ? "" : fmt::format("{}: {}.", starts[0].arms[arm].name, account_text(total));
}

// What is not the same in all starts is told as a range.
std::string fact_over_starts(std::span<const BenchResult> starts, size_t at)
{
	const auto& [name, value] = starts[0].environment[at];
	if (starts.size() > 1 && name == "seed")
		return fmt::format("{} to {}", value, starts.back().environment[at].second);
	if (starts.size() > 1 && name == "settle")
		return fmt::format("{} and up to {} more", value, format_duration(kSettleSpread));
	return value;
}

BenchRow row_of(std::span<const BenchResult> starts, size_t arm, BenchPlace place)
{
	const ArmResult total = total_of(starts, arm);
	BenchRow row;
	row.name = total.name;
	row.latency = total.latency;
	row.offered = total.offered;
	row.dropped = total.dropped;
	row.window_ns = total.window_ns;
	row.background_work = total.background_per_s();
	row.context_switches = total.context_switches();
	row.packet_cpu_ns = total.vnf_cpu_ns;
	row.background_cpu_ns = total.background_cpu_ns;
	row.cycle_ns =
	    place == BenchPlace::lab_virtual ? total.cycle_ns() : 0;  // else instructions do not all take as long
	row.budget_ns = total.budget_ns;
	if (starts.size() > 1)
		for (const BenchResult& start : starts) {
			const ArmResult& run = start.arms[arm];
			row.runs.push_back({run.latency, run.offered, run.dropped, run.background_per_s()});
		}
	return row;
}

std::string noise_sentence(std::span<const BenchResult> starts)
{
	const std::string& name = starts[0].arms[0].name;
	const std::optional<PairedChange> noise = noise_floor(starts);
	if (!noise)
		return "";
	return fmt::format(
	    "{} against itself, {} pairs of starts: its p99 differs by {:+.1f} % ({:+.1f} to {:+.1f} %); {} "
	    "pairs of two arms with such a spread show a change of {:.0f} % or more in four of five cases.",
	    name, noise->nr_pairs, 100 * (noise->ratio - 1), 100 * (noise->ratio_low - 1),
	    100 * (noise->ratio_high - 1), starts.size(), 100 * (detectable_ratio(noise->spread, starts.size()) - 1));
}

BenchComparison comparison_of(const ArmQuestion& question)
{
	BenchComparison row;
	row.arm = question.arm;
	row.metric = question.metric;
	row.is_known = question.change.has_value();
	if (question.change) {
		row.ratio = question.change->ratio;
		row.ratio_low = question.change->ratio_low;
		row.ratio_high = question.change->ratio_high;
	}
	row.p = question.p;
	row.verdict = verdict_name(question.judgement.verdict);
	row.reason = question.judgement.reason;
	return row;
}

}  // namespace

BenchReport bench_report(std::span<const BenchResult> starts, const BenchOptions& options, BenchPlace place,
			 double margin)
{
	BenchReport report;
	const bool several_cpus = options.cpus.size() > 1 || options.plane != PacketPlane::ring;
	report.notes = place == BenchPlace::here        ? notes_of(starts)
		       : place == BenchPlace::simulator ? notes_of_simulator()
							: notes_of_lab(place, several_cpus);
	const Environment& environment = starts[0].environment;
	for (size_t at = 0; at < environment.size(); at++) {
		std::string title = environment[at].first;
		std::ranges::replace(title, '_', ' ');
		// Facts about the load are put apart from those about the machine.
		(is_load_fact(environment[at].first) ? report.load : report.environment)
		    .push_back({std::move(title), fact_over_starts(starts, at)});
	}
	for (size_t arm = 0; arm < starts[0].arms.size(); arm++)
		if (std::string note = packets_note(starts, arm); !note.empty())
			report.notes.push_back(std::move(note));
	for (size_t arm = 0; arm < starts[0].arms.size(); arm++)
		report.rows.push_back(row_of(starts, arm, place));
	if (std::optional<PageSection> counters = counters_section(starts))
		report.sections.push_back(std::move(*counters));
	if (starts.size() == 1)
		return report;
	report.noise_floor = noise_sentence(starts);
	for (const ArmQuestion& question : compare_starts(starts, margin))
		report.comparisons.push_back(comparison_of(question));
	return report;
}

}  // namespace punctual
