// SPDX-License-Identifier: GPL-2.0-only
#include <map>

#include <fmt/format.h>

#include "export/live.h"
#include "export/metric_text.h"
#include "export/waits_text.h"

namespace punctual {
namespace {

void append_one(std::string& out, std::string_view name, std::string_view type, std::string_view help,
		std::string_view value)
{
	append_metric_head(out, name, type, help);
	out += fmt::format("{} {}\n", name, value);
}

// Two names that become one label are one series: Prometheus refuses a text with a series twice.
std::map<std::string, LiveClass> classes_by_label(const std::vector<LiveClass>& classes)
{
	std::map<std::string, LiveClass> by_label;
	for (const LiveClass& row : classes) {
		const auto [it, is_new] = by_label.try_emplace(metric_label(row.cgroup), row);
		if (is_new)
			continue;
		it->second.nr_waits += row.nr_waits;
		it->second.nr_missed += row.nr_missed;
		it->second.wait_ns_sum += row.wait_ns_sum;
		it->second.nr_infeasible += row.nr_infeasible;
	}
	return by_label;
}

void append_classes(std::string& out, const std::vector<LiveClass>& classes)
{
	if (classes.empty())
		return;
	const auto by_label = classes_by_label(classes);
	const auto family = [&](std::string_view name, std::string_view type, std::string_view help, auto value_of) {
		append_metric_head(out, name, type, help);
		for (const auto& [label, row] : by_label)
			out += fmt::format("{}{{cgroup=\"{}\"}} {}\n", name, label, value_of(row));
	};
	family("punctual_class_budget_seconds", "gauge", "Latency budget.",
	       [](const LiveClass& row) { return metric_seconds(row.budget_ns); });
	family("punctual_class_waits_total", "counter", "Waits of tasks with the budget.",
	       [](const LiveClass& row) { return row.nr_waits; });
	family("punctual_class_missed_total", "counter", "Waits that were longer than the budget.",
	       [](const LiveClass& row) { return row.nr_missed; });
	family("punctual_class_wait_seconds_total", "counter", "Time spent in these waits.",
	       [](const LiveClass& row) { return metric_seconds(row.wait_ns_sum); });
	family("punctual_class_infeasible_windows_total", "counter",
	       "Windows of 100 ms in which the budget could not be kept.",
	       [](const LiveClass& row) { return row.nr_infeasible; });
}

void append_programs(std::string& out, const std::vector<LiveProgram>& programs, std::optional<u64> probes_ns)
{
	if (programs.empty() && !probes_ns)
		return;
	std::map<std::string, u64> by_label;
	for (const LiveProgram& program : programs)
		by_label[metric_label(program.name)] += program.run_ns;
	if (probes_ns)
		by_label["punctual_runq"] = *probes_ns;
	append_metric_head(out, "punctual_bpf_run_seconds_total", "counter",
			   "Time in BPF programs while the kernel's BPF statistics are on.");
	for (const auto& [label, run_ns] : by_label)
		out += fmt::format("punctual_bpf_run_seconds_total{{prog=\"{}\"}} {}\n", label, metric_seconds(run_ns));
}

}  // namespace

std::string live_metrics(const LiveFacts& facts)
{
	std::string out;
	append_metric_head(out, "punctual_build_info", "gauge", "The program that serves this.");
	out += fmt::format("punctual_build_info{{version=\"{}\"}} 1\n", metric_label(facts.version));
	append_one(out, "punctual_sample_timestamp_seconds", "gauge", "When these figures were taken.",
		   metric_seconds(facts.at_ns));
	append_one(out, "punctual_scheduler_enabled", "gauge", "1 while a sched_ext scheduler is loaded.",
		   facts.scheduler.ops.empty() ? "0" : "1");
	if (!facts.scheduler.ops.empty()) {
		append_metric_head(out, "punctual_scheduler_info", "gauge", "Which scheduler is loaded.");
		out += fmt::format("punctual_scheduler_info{{ops=\"{}\"}} 1\n", metric_label(facts.scheduler.ops));
	}
	if (facts.scheduler.nr_starved)
		append_one(out, "punctual_scheduler_starved_total", "counter", "Tasks that waited for over a second.",
			   std::to_string(*facts.scheduler.nr_starved));
	append_classes(out, facts.scheduler.classes);
	append_programs(out, facts.programs, facts.probes_ns);
	append_one(out, "punctual_runq_counted", "gauge", "1 while run-queue waits are counted.",
		   facts.waits ? "1" : "0");
	if (facts.waits)
		out += wait_metrics(*facts.waits);
	return out;
}

}  // namespace punctual
