// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rollout_rule.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/rule_words.h"
#include "base/units.h"

namespace punctual {
namespace {

constexpr size_t kConditionsMax = 8;
constexpr double kRatioMax = 1000;
constexpr double kLevel = 0.05;
constexpr std::string_view kMetrics = "p50, p99, p99.9, max, background or drop";
constexpr std::array<std::pair<std::string_view, RolloutMetric>, 6> kNames = {{
    {"p50", RolloutMetric::p50},
    {"p99", RolloutMetric::p99},
    {"p99.9", RolloutMetric::p999},
    {"max", RolloutMetric::max},
    {"background", RolloutMetric::background},
    {"drop", RolloutMetric::drop},
}};

std::unexpected<Error> wrong(const RuleWord& word, std::string_view what)
{
	if (word.text.empty())
		return fail(ExitCode::usage, "--keep-if: the rule ends at position {}: {}", word.at, what);
	return fail(ExitCode::usage, "--keep-if, position {}: '{}' {}", word.at, word.text, what);
}

// Reads the limit into the condition, whose metric is known.
Status read_limit(const RuleWord& word, KeepCondition* condition)
{
	if (condition->metric == RolloutMetric::drop) {
		const std::optional<double> percent = number_before(word.text, "%");
		if (!percent || *percent < 0 || *percent > 100)
			return wrong(word, "is no limit for drop (write a share of the packets, such as 0.1%)");
		condition->is_ratio = false;
		condition->limit = *percent / 100;
		return {};
	}
	if (const std::optional<double> ratio = number_before(word.text, "x")) {
		if (*ratio <= 0 || *ratio > kRatioMax)
			return wrong(word, fmt::format("is out of range (above 0x, at most {:g}x)", kRatioMax));
		condition->limit = *ratio;
		return {};
	}
	if (condition->metric == RolloutMetric::background)
		return wrong(word, "is no limit for background (write a ratio to EEVDF, such as 0.95x)");
	const Result<Nanoseconds> time = parse_duration(word.text);
	// A bare number would be seconds, and nobody means that here.
	const bool has_unit = !word.text.empty() && word.text.back() >= 'a' && word.text.back() <= 'z';
	if (!time || !has_unit || time->count() <= 0)
		return wrong(word, "is no limit (write a ratio to EEVDF, such as 0.5x, or a time, such as 60us)");
	condition->is_ratio = false;
	condition->limit = static_cast<double>(time->count());
	return {};
}

// Of the values of a run, the one that the metric names; not for drop.
double value_of(const RolloutRun& run, RolloutMetric metric)
{
	switch (metric) {
	case RolloutMetric::p50:
		return static_cast<double>(run.p50_ns);
	case RolloutMetric::p99:
		return static_cast<double>(run.p99_ns);
	case RolloutMetric::p999:
		return static_cast<double>(run.p999_ns);
	case RolloutMetric::max:
		return static_cast<double>(run.max_ns);
	case RolloutMetric::background:
		return run.window_ns ? static_cast<double>(run.background) / static_cast<double>(run.window_ns) : 0;
	case RolloutMetric::drop:
		break;
	}
	return 0;
}

double share_dropped(std::span<const RolloutPair> pairs, RolloutRun RolloutPair::* side)
{
	uint64_t offered = 0, dropped = 0;
	for (const RolloutPair& pair : pairs) {
		offered += (pair.*side).offered;
		dropped += (pair.*side).dropped;
	}
	return offered ? static_cast<double>(dropped) / static_cast<double>(offered) : 0;
}

bool has_packets(std::span<const RolloutPair> pairs)
{
	return std::ranges::any_of(pairs, [](const RolloutPair& pair) { return pair.scheduler.offered > 0; });
}

// A condition and what the pairs say of value over limit: what is at most the limit has a ratio of 1 or less.
struct Question {
	ConditionJudgement judgement;
	std::optional<PairedChange> over_limit;
	bool at_most = true;
};

Question ask(const KeepCondition& condition, std::span<const RolloutPair> pairs)
{
	std::vector<double> eevdf(pairs.size()), scheduler(pairs.size()), limits(pairs.size());
	for (size_t at = 0; at < pairs.size(); at++) {
		eevdf[at] = value_of(pairs[at].eevdf, condition.metric);
		scheduler[at] = value_of(pairs[at].scheduler, condition.metric);
		limits[at] = condition.is_ratio ? condition.limit * eevdf[at] : condition.limit;
	}
	Question question;
	question.judgement.text = condition.text;
	question.judgement.change = compare_pairs(eevdf, scheduler);
	question.over_limit = compare_pairs(limits, scheduler);
	question.at_most = condition.at_most;
	return question;
}

std::string measured_text(const Question& question)
{
	if (!question.judgement.change)
		return "";
	const PairedChange& change = *question.judgement.change;
	return fmt::format("{:.3g}x ({:.3g}x to {:.3g}x)", change.ratio, change.ratio_low, change.ratio_high);
}

// `p`: of a failure, corrected for the others.
void decide(double p, Question* question)
{
	ConditionJudgement& judgement = question->judgement;
	if (!question->over_limit) {
		judgement.reason = "no ratio: a run counted nothing";
		return;
	}
	const PairedChange& over = *question->over_limit;
	const std::string measured = measured_text(*question);
	if (const size_t nr_min = pairs_min(1); over.nr_pairs < nr_min) {
		judgement.reason =
		    fmt::format("too few pairs for a verdict: {}, and {} would do", over.nr_pairs, nr_min);
		return;
	}
	const bool is_below = over.ratio_high < 1, is_above = over.ratio_low > 1;
	if (over.p < kLevel && (question->at_most ? is_below : is_above)) {
		judgement.verdict = RuleVerdict::holds;
		judgement.reason = fmt::format("{}, p {:.2g}", measured, over.p);
	} else if (p < kLevel && (question->at_most ? is_above : is_below)) {
		judgement.verdict = RuleVerdict::fails;
		judgement.reason = fmt::format("{}, p {:.2g}", measured, p);
	} else {
		judgement.reason =
		    fmt::format("{}: {} pairs cannot tell on which side of the limit that is", measured, over.nr_pairs);
	}
}

// A share of nothing has no logarithm, so this is told from the counts: every run has to be within the limit, and all
// of them together beyond it is a failure.
ConditionJudgement judge_drop(const KeepCondition& condition, std::span<const RolloutPair> pairs)
{
	ConditionJudgement judgement{.text = condition.text};
	if (!has_packets(pairs)) {
		judgement.reason = "no packets were offered";
		return judgement;
	}
	const double total = share_dropped(pairs, &RolloutPair::scheduler);
	const auto within = [&](const RolloutPair& pair) {
		const double share = share_dropped(std::span(&pair, 1), &RolloutPair::scheduler);
		return condition.at_most ? share <= condition.limit : share >= condition.limit;
	};
	judgement.reason = fmt::format("{:.4g} % of the packets", 100 * total);
	if (pairs.size() < pairs_min(1))
		judgement.reason =
		    fmt::format("too few pairs for a verdict: {}, and {} would do", pairs.size(), pairs_min(1));
	else if (std::ranges::all_of(pairs, within))
		judgement.verdict = RuleVerdict::holds;
	else if (condition.at_most ? total > condition.limit : total < condition.limit)
		judgement.verdict = RuleVerdict::fails;
	else
		judgement.reason += ", but not in every run within the limit";
	return judgement;
}

ConditionJudgement judge_unspoken_drop(std::span<const RolloutPair> pairs)
{
	const double before = share_dropped(pairs, &RolloutPair::eevdf);
	const double after = share_dropped(pairs, &RolloutPair::scheduler);
	ConditionJudgement judgement{.text = "drops no more than EEVDF"};
	judgement.verdict = after <= before ? RuleVerdict::holds : RuleVerdict::unclear;
	judgement.reason = fmt::format("{:.4g} % of the packets, under EEVDF {:.4g} %", 100 * after, 100 * before);
	if (after > before)
		judgement.reason += "; a rule with \"drop <= PERCENT\" would say how much may be lost";
	return judgement;
}

}  // namespace

std::string_view metric_name(RolloutMetric metric)
{
	return std::ranges::find(kNames, metric, &std::pair<std::string_view, RolloutMetric>::second)->first;
}

Result<KeepRule> parse_keep_rule(std::string_view text)
{
	const std::vector<RuleWord> words = rule_words(text);
	const RuleWord end{text.size() + 1, {}};
	const auto word_at = [&](size_t at) { return at < words.size() ? words[at] : end; };
	KeepRule rule;
	rule.reserve(kConditionsMax);
	for (size_t at = 0;; at += 4) {
		if (rule.size() == kConditionsMax)
			return wrong(word_at(at),
				     fmt::format("is one condition too many (at most {})", kConditionsMax));
		KeepCondition condition;
		const RuleWord metric = word_at(at), sign = word_at(at + 1), limit = word_at(at + 2);
		const auto* name = std::ranges::find(kNames, metric.text, &decltype(kNames)::value_type::first);
		if (name == kNames.end())
			return wrong(metric, metric.text.empty()
						 ? fmt::format("a measure is missing ({})", kMetrics)
						 : fmt::format("is no measure (choose from {})", kMetrics));
		condition.metric = name->second;
		if (sign.text != "<=" && sign.text != ">=")
			return wrong(sign, sign.text.empty() ? "a comparison is missing (<= or >=)"
							     : "is no comparison (choose from <= and >=)");
		condition.at_most = sign.text == "<=";
		if (limit.text.empty())
			return wrong(limit, "a limit is missing (such as 0.5x, 60us, or of drop 0.1%)");
		TRY(read_limit(limit, &condition));
		condition.text = fmt::format("{} {} {}", metric.text, sign.text, limit.text);
		rule.push_back(std::move(condition));
		const RuleWord joint = word_at(at + 3);
		if (joint.text.empty())
			return rule;
		if (joint.text != "and")
			return wrong(joint, "is not \"and\", which joins conditions");
	}
}

std::string_view verdict_name(RuleVerdict verdict)
{
	constexpr std::array<std::string_view, 3> kVerdicts = {"holds", "fails", "unclear"};
	return kVerdicts[std::to_underlying(verdict)];
}

std::vector<ConditionJudgement> judge_rule(const KeepRule& rule, std::span<const RolloutPair> pairs)
{
	std::vector<Question> questions;
	std::vector<double> p;
	questions.reserve(rule.size());
	p.reserve(rule.size());
	for (const KeepCondition& condition : rule) {
		questions.push_back(ask(condition, pairs));
		p.push_back(questions.back().over_limit ? questions.back().over_limit->p : 1);
	}
	const std::vector<double> corrected = holm(p);
	std::vector<ConditionJudgement> judgements;
	judgements.reserve(rule.size() + 1);
	bool speaks_of_drop = false;
	for (size_t at = 0; at < rule.size(); at++) {
		if (rule[at].metric == RolloutMetric::drop) {
			speaks_of_drop = true;
			judgements.push_back(judge_drop(rule[at], pairs));
			continue;
		}
		decide(corrected[at], &questions[at]);
		judgements.push_back(std::move(questions[at].judgement));
	}
	if (!speaks_of_drop && has_packets(pairs))
		judgements.push_back(judge_unspoken_drop(pairs));
	return judgements;
}

RuleVerdict verdict_of(std::span<const ConditionJudgement> judgements)
{
	const auto is = [](RuleVerdict verdict) {
		return [verdict](const ConditionJudgement& judgement) { return judgement.verdict == verdict; };
	};
	if (std::ranges::any_of(judgements, is(RuleVerdict::fails)))
		return RuleVerdict::fails;
	// Without a condition nothing was shown.
	return !judgements.empty() && std::ranges::all_of(judgements, is(RuleVerdict::holds)) ? RuleVerdict::holds
											      : RuleVerdict::unclear;
}

}  // namespace punctual
