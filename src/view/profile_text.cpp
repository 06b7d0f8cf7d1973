// SPDX-License-Identifier: GPL-2.0-only
#include "view/profile_text.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "view/figure.h"
#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kFunctionsMax = 15;

std::string per_second(u64 nr, u64 elapsed_ns)
{
	const double seconds = static_cast<double>(std::max<u64>(elapsed_ns, 1)) / 1e9;
	return count_text(static_cast<u64>(std::llround(static_cast<double>(nr) / seconds)));
}

TableRow cost_row(const std::string& name, const std::string& program, u64 nr_runs, u64 run_ns, u64 elapsed_ns)
{
	return {{{name},
		 {program},
		 {count_text(nr_runs)},
		 {per_second(nr_runs, elapsed_ns)},
		 {nr_runs ? fmt::format("{:.0f}", static_cast<double>(run_ns) / static_cast<double>(nr_runs)) : "-"},
		 {percent_text(run_ns, elapsed_ns)}}};
}

std::string statistics_note(const Profile& profile)
{
	u64 least_ns = ~0ULL, most_ns = 0, added_ns = 0;
	for (const CallbackCost& callback : profile.callbacks) {
		least_ns = std::min(least_ns, callback.calibration_ns);
		most_ns = std::max(most_ns, callback.calibration_ns);
		added_ns += callback.nr_runs * callback.calibration_ns;
	}
	return fmt::format(
	    "Callbacks are measured by the kernel's BPF statistics, on all CPUs. They cost time themselves, {} ns a "
	    "run as an empty program reads them, here {} % of one CPU: that is subtracted above. Timers of "
	    "BPF programs have no statistics; samples see them.",
	    least_ns == most_ns ? fmt::format("{}", most_ns) : fmt::format("{} to {}", least_ns, most_ns),
	    percent_text(added_ns, profile.elapsed_ns));
}

std::string samples_note(const Profile& profile)
{
	return fmt::format("{} samples of {} CPU{}, {} Hz each, by {}; {} lost, throttled {} times.",
			   count_text(profile.nr_samples), profile.nr_cpus, profile.nr_cpus == 1 ? "" : "s",
			   count_text(profile.frequency_hz),
			   profile.by_cycles ? "hardware cycles (a CPU that sleeps has none)"
					     : "cpu-clock (this machine has no cycle counter)",
			   count_text(profile.nr_lost), count_text(profile.nr_throttled));
}

}  // namespace

Table callbacks_table(const Profile& profile)
{
	Table table;
	table.columns = {{"callback", false}, {"program", false}, {"runs"}, {"runs/s"}, {"ns/run"}, {"% of one CPU"}};
	std::vector<const CallbackCost*> order;
	order.reserve(profile.callbacks.size());
	for (const CallbackCost& callback : profile.callbacks)
		if (callback.nr_runs > 0)
			order.push_back(&callback);
	std::ranges::sort(order, std::greater(),
			  [](const CallbackCost* callback) { return std::pair(callback->run_ns, callback->id); });
	for (const CallbackCost* callback : order)
		table.rows.push_back(cost_row(callback->callback.empty() ? "-" : callback->callback,
					      fmt::format("{} ({})", clean_text(callback->name), callback->id),
					      callback->nr_runs, callback->run_ns, profile.elapsed_ns));
	table.rows.push_back(cost_row("all", "", callbacks_runs(profile), callbacks_ns(profile), profile.elapsed_ns));
	table.rows.back().strong = true;
	return table;
}

Table weights_table(const Profile& profile)
{
	Table table;
	table.columns = {{"where", false}, {profile.by_cycles ? "% of cycles" : "% of CPU time"}};
	const u64 all = profile.weights.all();
	constexpr SchedulerPart kParts[] = {SchedulerPart::bpf, SchedulerPart::ext_core, SchedulerPart::kernel};
	size_t nr = 0;
	for (const NamedWeight& row : named_weights(profile.weights)) {
		const SchedulerPart part = nr < std::size(kParts) ? kParts[nr] : SchedulerPart::none;
		table.rows.push_back({{{row.name, Tone::plain, part_color(part)}, {percent_text(row.weight, all)}}});
		if (part == SchedulerPart::bpf && profile.weights.bpf_timers > 0)
			table.rows.push_back({{{"of it in timers"}, {percent_text(profile.weights.bpf_timers, all)}}});
		nr++;
	}
	table.rows.push_back({{{"the scheduler, all three"}, {percent_text(profile.weights.scheduler(), all)}}, true});
	return table;
}

Table functions_table(const Profile& profile)
{
	Table table;
	table.columns = {{"function", false}, {profile.by_cycles ? "% of cycles" : "% of CPU time"}};
	for (const HotFunction& function : hot_functions(profile.stacks, kFunctionsMax))
		table.rows.push_back(
		    {{{clean_text(function.name)}, {percent_text(function.self, profile.weights.all())}}});
	return table;
}

std::vector<std::string> profile_notes(const Profile& profile)
{
	std::vector<std::string> notes;
	if (!profile.callbacks.empty())
		notes.push_back(statistics_note(profile));
	notes.push_back(samples_note(profile));
	if (!profile.by_cycles)
		notes.emplace_back(
		    "cpu-clock is a timer: it does not see code that runs with interrupts off, as most of a scheduler "
		    "does, but whoever turns them on again. So the time of a scheduler is in the samples, but most of "
		    "it "
		    "under the wrong name, some of it outside of the scheduler: read the statistics of the callbacks, "
		    "and "
		    "take parts and functions for hints.");
	if (profile.programs_unnamed)
		notes.emplace_back(
		    "BPF programs have no names in the kernel's list of symbols, so they are in no part: "
		    "sysctl net.core.bpf_jit_kallsyms=1 and net.core.bpf_jit_harden=0 name them.");
	if (profile.nr_unnamed > 0)
		notes.push_back(fmt::format("{} frames have no name.", count_text(profile.nr_unnamed)));
	if (profile.stacks.cut() > 0)
		notes.push_back(
		    fmt::format("More different stacks than are kept: {} % of what was seen in the kernel ends early.",
				percent_text(profile.stacks.cut(), profile.stacks.total())));
	if (profile.changed)
		notes.emplace_back("The scheduler changed meanwhile: callbacks are those of the one at the beginning.");
	return notes;
}

std::string profile_title(const Profile& profile)
{
	return fmt::format(
	    "profile of {:.1f} s{} on {} CPU{}, under {}", static_cast<double>(profile.elapsed_ns) / 1e9,
	    profile.interrupted ? " (interrupted)" : "", profile.nr_cpus, profile.nr_cpus == 1 ? "" : "s",
	    profile.scheduler.empty() ? "the kernel's own scheduler (EEVDF)" : clean_text(profile.scheduler));
}

std::string profile_text(const Profile& profile)
{
	std::string text = profile_title(profile) + "\n\n";
	if (!profile.callbacks.empty())
		text += table_text(callbacks_table(profile)) + "\n";
	text += table_text(weights_table(profile)) + "\n";
	if (profile.stacks.total() > 0)
		text += table_text(functions_table(profile)) + "\n";
	for (const std::string& note : profile_notes(profile))
		text += note + "\n";
	return text;
}

}  // namespace punctual
