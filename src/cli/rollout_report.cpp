// SPDX-License-Identifier: GPL-2.0-only
#include "cli/rollout_report.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <span>

#include <nlohmann/json.hpp>

#include "bench/rollout_run_json.h"
#include "cli/bench_counters.h"
#include "view/html_page.h"
#include "view/number.h"
#include "view/table.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

// "kept", "reverted" ...: what became of the scheduler.
std::string_view outcome_name(const RolloutState& state)
{
	if (state.phase == RolloutPhase::keeping)
		return "kept";
	switch (state.code) {
	case ExitCode::ok:
		return "keep";  // the rule says so, and it was asked not to stay
	case ExitCode::regression:
		return "reverted";
	case ExitCode::inconclusive:
		return "inconclusive";
	case ExitCode::ejected:
		return "ejected";
	case ExitCode::interrupted:
		return "interrupted";
	default:
		return "failed";
	}
}

std::string outcome_sentence(const RolloutState& state)
{
	const std::string_view name = outcome_name(state);
	const char* what = name == "kept"           ? "kept: it stays loaded until Ctrl-C, SIGTERM or punctual unload"
			   : name == "keep"         ? "to be kept; EEVDF runs"
			   : name == "reverted"     ? "reverted, EEVDF runs"
			   : name == "inconclusive" ? "not kept, as nothing was shown; EEVDF runs"
			   : name == "ejected"      ? "thrown out by the kernel, EEVDF runs"
			   : name == "interrupted"  ? "interrupted, EEVDF runs"
						    : "given up, EEVDF runs";
	return fmt::format("{} ({})", what, state.reason);
}

// Without a pair of which only one side is there.
std::span<const RolloutPair> whole_pairs(const RolloutState& state, size_t step)
{
	const std::vector<RolloutPair>& pairs = state.results[step];
	const bool has_half = step == state.step && state.run % 2 == 1;
	return std::span(pairs).first(pairs.size() - (has_half ? 1 : 0));
}

// The middle run.
uint64_t middle(std::span<const RolloutPair> pairs, RolloutRun RolloutPair::* side, uint64_t RolloutRun::* member)
{
	std::vector<uint64_t> values(pairs.size());
	std::ranges::transform(pairs, values.begin(), [&](const RolloutPair& pair) { return pair.*side.*member; });
	std::ranges::sort(values);
	return values.empty() ? 0 : values[values.size() / 2];
}

uint64_t total(std::span<const RolloutPair> pairs, RolloutRun RolloutPair::* side, uint64_t RolloutRun::* member)
{
	return std::accumulate(pairs.begin(), pairs.end(), uint64_t{0},
			       [&](uint64_t sum, const RolloutPair& pair) { return sum + pair.*side.*member; });
}

std::string per_second(uint64_t count, uint64_t window_ns)
{
	return window_ns ? count_text(
			       static_cast<uint64_t>(static_cast<double>(count) * 1e9 / static_cast<double>(window_ns)))
			 : "-";
}

TableRow figures_row(const char* name, std::span<const RolloutPair> pairs, RolloutRun RolloutPair::* side, bool own)
{
	TableRow row{.cells = {{name}, {count_text(total(pairs, side, &RolloutRun::nr))}}};
	for (uint64_t RolloutRun::* member :
	     {&RolloutRun::p50_ns, &RolloutRun::p99_ns, &RolloutRun::p999_ns, &RolloutRun::max_ns})
		row.cells.push_back({us_text(middle(pairs, side, member))});
	const uint64_t window_ns = total(pairs, side, &RolloutRun::window_ns);
	const uint64_t background = total(pairs, side, &RolloutRun::background);
	if (!own) {
		row.cells.push_back(
		    {percent_text(total(pairs, side, &RolloutRun::dropped), total(pairs, side, &RolloutRun::offered))});
		row.cells.push_back({per_second(background, window_ns)});
		row.cells.push_back({per_second(total(pairs, side, &RolloutRun::switches), window_ns)});
		const uint64_t nr = total(pairs, side, &RolloutRun::nr);
		row.cells.push_back({nr ? count_text(total(pairs, side, &RolloutRun::front_cpu_ns) / nr) : "-"});
	} else {
		row.cells.push_back({percent_text(total(pairs, side, &RolloutRun::front_cpu_ns), window_ns)});
	}
	row.cells.push_back({percent_text(total(pairs, side, &RolloutRun::background_cpu_ns), window_ns)});
	return row;
}

Table figures_table(std::span<const RolloutPair> pairs, bool own)
{
	Table table;
	table.columns = {{"", false}, {own ? "waits" : "packets"}, {"p50 us"}, {"p99 us"}, {"p99.9 us"}, {"max us"}};
	if (own)
		table.columns.push_back({"slices CPU %"});
	else
		table.columns.insert(table.columns.end(),
				     {{"drop %"}, {"background/s"}, {"switches/s"}, {"CPU ns/packet"}});
	table.columns.push_back({"background CPU %"});
	table.rows = {figures_row("EEVDF", pairs, &RolloutPair::eevdf, own),
		      figures_row("scheduler", pairs, &RolloutPair::scheduler, own)};
	return table;
}

// Of all runs under one of the two; nullopt when nobody counted.
std::optional<CountedArm> counted(const char* name, std::span<const RolloutPair> pairs, RolloutRun RolloutPair::* side)
{
	std::optional<CountedArm> arm;
	for (const RolloutPair& pair : pairs) {
		const RolloutRun& run = pair.*side;
		if (!run.counts)
			return std::nullopt;
		if (arm)
			arm->counts.add(*run.counts);
		else
			arm = CountedArm{.name = name, .counts = *run.counts};
		arm->packets += run.nr;
	}
	return arm;
}

std::optional<PageSection> counters_of(std::span<const RolloutPair> pairs)
{
	const auto eevdf = counted("EEVDF", pairs, &RolloutPair::eevdf);
	const auto scheduler = counted("scheduler", pairs, &RolloutPair::scheduler);
	if (!eevdf || !scheduler)
		return std::nullopt;
	return counters_section(std::array{*eevdf, *scheduler});
}

Table conditions_table(std::span<const ConditionJudgement> judgements)
{
	Table table;
	table.columns = {{"condition", false}, {"verdict", false}, {"scheduler / EEVDF, 95 %", false}};
	for (const ConditionJudgement& judgement : judgements) {
		const Tone tone = judgement.verdict == RuleVerdict::holds   ? Tone::good
				  : judgement.verdict == RuleVerdict::fails ? Tone::bad
									    : Tone::faint;
		table.rows.push_back(
		    {.cells = {
			 {judgement.text}, {std::string(verdict_name(judgement.verdict)), tone}, {judgement.reason}}});
	}
	return table;
}

std::string counters_text(std::span<const RolloutPair> pairs)
{
	const std::optional<PageSection> section = counters_of(pairs);
	if (!section)
		return "";
	std::string text = fmt::format("\n{}\n", table_text(*section->table));
	for (const std::string& note : section->notes)
		text += note + "\n";
	return text;
}

struct Step {
	std::string title;
	std::span<const RolloutPair> pairs;
	std::vector<ConditionJudgement> judgements;
};

std::vector<Step> steps_of(const RolloutReport& report)
{
	std::vector<Step> steps;
	const std::vector<CpuList>& planned = report.setup.plan.steps;
	steps.reserve(planned.size());
	for (size_t at = 0; at < report.state.results.size() && at < planned.size(); at++) {
		const std::span<const RolloutPair> pairs = whole_pairs(report.state, at);
		if (pairs.empty())
			continue;
		steps.push_back({fmt::format("step {} of {}: cpus {}, {} of {} pairs", at + 1, planned.size(),
					     planned[at].text(), pairs.size(), report.setup.plan.nr_pairs),
				 pairs, judge_rule(report.setup.plan.rule, pairs)});
	}
	return steps;
}

std::string headline(const RolloutReport& report)
{
	return fmt::format("{} on cpus {}: {}", report.options.sched, report.setup.cpus.text(),
			   outcome_sentence(report.state));
}

std::string keep_line(const RolloutReport& report)
{
	std::string line = fmt::format("to keep it: {}", fmt::join(keep_command(report.options, report.setup), " "));
	if (report.setup.arm.budget)
		line += fmt::format("; no cgroup has a budget then: punctual budget set CGROUP {}",
				    format_duration(*report.setup.arm.budget));
	return line;
}

bool says_keep(const RolloutState& state)
{
	return state.phase == RolloutPhase::keeping || state.code == ExitCode::ok;
}

std::vector<std::string> notes_of(const RolloutReport& report)
{
	std::vector<std::string> notes = {
	    report.setup.is_own_load() ? "Quantiles are of the run-queue waits of the named cgroups that ended on the "
					 "CPUs of the step; background "
					 "work is CPU time of the cgroup that was named for it. The load is as it "
					 "comes: it may differ between runs."
				       : "Quantiles are of packets that were served, from their scheduled arrival.",
	    "Quantiles shown are those of the middle run, counts are of all runs. A condition holds or fails when its "
	    "whole "
	    "95 % interval, from runs in pairs, lies on one side of the limit, and the sign-flip test agrees (p < "
	    "0.05)."};
	if (says_keep(report.state))
		notes.push_back(keep_line(report));
	return notes;
}

Json change_json(const ConditionJudgement& judgement)
{
	Json json = {
	    {"condition", judgement.text}, {"verdict", verdict_name(judgement.verdict)}, {"reason", judgement.reason}};
	if (judgement.change)
		json.update({{"pairs", judgement.change->nr_pairs},
			     {"ratio", judgement.change->ratio},
			     {"ratio_low", judgement.change->ratio_low},
			     {"ratio_high", judgement.change->ratio_high}});
	return json;
}

Json steps_json(const RolloutReport& report)
{
	Json steps = Json::array();
	for (size_t at = 0; at < report.state.results.size() && at < report.setup.plan.steps.size(); at++) {
		const std::span<const RolloutPair> pairs = whole_pairs(report.state, at);
		const std::vector<ConditionJudgement> judgements = judge_rule(report.setup.plan.rule, pairs);
		Json step = {{"cpus", report.setup.plan.steps[at].text()},
			     {"verdict", verdict_name(verdict_of(judgements))},
			     {"conditions", Json::array()},
			     {"pairs", Json::array()}};
		for (const ConditionJudgement& judgement : judgements)
			step["conditions"].push_back(change_json(judgement));
		for (const RolloutPair& pair : pairs)
			step["pairs"].push_back(
			    {{"eevdf", rollout_run_json(pair.eevdf)}, {"scheduler", rollout_run_json(pair.scheduler)}});
		steps.push_back(std::move(step));
	}
	return steps;
}

}  // namespace

std::string rollout_text(const RolloutReport& report)
{
	std::string text = fmt::format("{}\nrule: {}\n", clean_text(headline(report)), report.options.keep_if);
	for (const Step& step : steps_of(report))
		text += fmt::format("\n{}: {}\n{}\n{}", step.title, verdict_name(verdict_of(step.judgements)),
				    table_text(conditions_table(step.judgements)),
				    table_text(figures_table(step.pairs, report.setup.is_own_load()))) +
			counters_text(step.pairs);
	text += "\n";
	for (const std::string& note : notes_of(report))
		text += clean_text(note) + "\n";
	return text;
}

std::string rollout_html(const RolloutReport& report)
{
	Page page;
	page.title = "punctual rollout";
	page.eyebrow = fmt::format("punctual rollout: {}", outcome_name(report.state));
	page.headline = headline(report) + ".";
	page.lead = fmt::format("The rule: {}.", report.options.keep_if);
	for (const Step& step : steps_of(report)) {
		PageSection verdicts, figures;
		verdicts.heading = step.title;
		verdicts.table = conditions_table(step.judgements);
		figures.heading = "What was measured";
		figures.table = figures_table(step.pairs, report.setup.is_own_load());
		page.sections.push_back(std::move(verdicts));
		page.sections.push_back(std::move(figures));
		if (std::optional<PageSection> counters = counters_of(step.pairs))
			page.sections.push_back(std::move(*counters));
	}
	PageSection facts;
	facts.heading = "How";
	facts.facts = {{"kernel", report.kernel}, {"command", report.command}, {"soak", report.options.soak}};
	facts.notes = notes_of(report);
	page.sections.push_back(std::move(facts));
	return html_page(page);
}

std::string rollout_json(const RolloutReport& report)
{
	const Json json = {{"schema", "punctual.rollout"},
			   {"version", 1},
			   {"outcome", outcome_name(report.state)},
			   {"reason", report.state.reason},
			   {"scheduler", report.options.sched},
			   {"cpus", report.setup.cpus.text()},
			   {"rule", report.options.keep_if},
			   {"load", report.setup.is_own_load() ? "own" : "bench"},
			   {"run_ns", report.setup.window.count()},
			   {"keep_command", keep_command(report.options, report.setup)},
			   {"command", report.command},
			   {"kernel", report.kernel},
			   {"steps", steps_json(report)}};
	return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace punctual
