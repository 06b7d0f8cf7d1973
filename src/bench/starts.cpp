// SPDX-License-Identifier: GPL-2.0-only
#include "bench/starts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

namespace punctual {
namespace {

struct Metric {
	const char* name;
	bool higher_is_better;
	double (*value)(const ArmResult& arm);
};

double quantile(const ArmResult& arm, double q)
{
	return static_cast<double>(arm.latency.quantile_ns(q));
}

constexpr std::array kMetrics = {
    Metric{"p99", false, [](const ArmResult& arm) { return quantile(arm, 0.99); }},  // the primary one
    Metric{"p99.9", false, [](const ArmResult& arm) { return quantile(arm, 0.999); }},
    Metric{"background work", true, [](const ArmResult& arm) { return arm.background_per_s(); }},
};

std::vector<double> values_of(std::span<const BenchResult> starts, size_t arm, const Metric& metric)
{
	std::vector<double> values(starts.size());
	std::ranges::transform(starts, values.begin(),
			       [&](const BenchResult& start) { return metric.value(start.arms[arm]); });
	return values;
}

ArmQuestion question_of(std::span<const BenchResult> starts, size_t arm, const Metric& metric)
{
	ArmQuestion question;
	question.arm = starts[0].arms[arm].name;
	question.metric = metric.name;
	question.is_primary = &metric == kMetrics.data();
	question.change = compare_pairs(values_of(starts, 0, metric), values_of(starts, arm, metric));
	if (question.change)
		question.p = question.change->p;
	return question;
}

// How many questions of this kind are asked.
size_t nr_questions(size_t nr_arms, bool primary)
{
	return (nr_arms - 1) * (primary ? 1 : kMetrics.size() - 1);
}

// Corrects those that are primary, or those that are not.
void correct(std::vector<ArmQuestion>& questions, bool primary)
{
	std::vector<double> p;
	for (const ArmQuestion& question : questions)
		if (question.is_primary == primary)
			p.push_back(question.p);
	const std::vector<double> corrected = holm(p);
	auto next = corrected.begin();
	for (ArmQuestion& question : questions)
		if (question.is_primary == primary)
			question.p = *next++;
}

}  // namespace

BenchOptions options_of_start(const BenchOptions& options, uint64_t start)
{
	BenchOptions changed = options;
	changed.seed += start;
	// Multiples of the golden ratio never come near each other (mod 1).
	const double part = std::fmod(static_cast<double>(start) * std::numbers::phi, 1.0);
	const auto more_us =
	    std::chrono::microseconds(std::llround(part * static_cast<double>(kSettleSpread.count()) / 1000));
	changed.settle += more_us;
	return changed;
}

std::vector<size_t> arm_order(size_t nr_arms, uint64_t start, uint64_t nr_starts, uint64_t seed)
{
	std::vector<size_t> order(nr_arms);
	std::iota(order.begin(), order.end(), 0);
	if (nr_starts < 2)
		return order;
	std::mt19937_64 random(seed * 1'000'003 + start / 2);  // of the block
	const bool backwards_first = random() & 1;
	if ((start % 2 == 1) != backwards_first)
		std::ranges::reverse(order);
	return order;
}

uint64_t starts_min(size_t nr_arms)
{
	return nr_arms < 2 ? 1 : pairs_min(nr_questions(nr_arms, false));
}

ArmResult total_of(std::span<const BenchResult> starts, size_t arm)
{
	constexpr uint64_t ArmResult::* kAddedUp[] = {&ArmResult::offered,
						      &ArmResult::dropped,
						      &ArmResult::window_ns,
						      &ArmResult::sleeps,
						      &ArmResult::background_work,
						      &ArmResult::background_batches,
						      &ArmResult::vnf_work_ns,
						      &ArmResult::background_work_ns,
						      &ArmResult::waits,
						      &ArmResult::waits_missed,
						      &ArmResult::judged_windows,
						      &ArmResult::infeasible_windows,
						      &ArmResult::vnf_cpu_ns,
						      &ArmResult::background_cpu_ns,
						      &ArmResult::vnf_voluntary_switches,
						      &ArmResult::vnf_involuntary_switches,
						      &ArmResult::background_voluntary_switches,
						      &ArmResult::background_involuntary_switches,
						      &ArmResult::steal_ns};
	ArmResult total = starts[0].arms[arm];
	for (const BenchResult& start : starts.subspan(1)) {
		const ArmResult& added = start.arms[arm];
		total.latency.merge(added.latency);
		if (total.counts && added.counts)
			total.counts->add(*added.counts);
		for (uint64_t ArmResult::* member : kAddedUp)
			total.*member += added.*member;
		total.wait_p999_ns = std::max(total.wait_p999_ns, added.wait_p999_ns);
	}
	return total;
}

std::vector<ArmQuestion> compare_starts(std::span<const BenchResult> starts, double margin)
{
	std::vector<ArmQuestion> questions;
	if (starts.empty())
		return questions;
	for (size_t arm = 1; arm < starts[0].arms.size(); arm++)
		for (const Metric& metric : kMetrics)
			questions.push_back(question_of(starts, arm, metric));
	correct(questions, true);
	correct(questions, false);
	for (size_t at = 0; at < questions.size(); at++) {
		ArmQuestion& question = questions[at];
		const bool higher_is_better = kMetrics[at % kMetrics.size()].higher_is_better;
		question.judgement = question.change
					 ? judge_pairs(*question.change, question.p,
						       nr_questions(starts[0].arms.size(), question.is_primary), margin,
						       higher_is_better)
					 : PairedJudgement{PairedVerdict::inconclusive, "no ratio: one of them is 0"};
	}
	return questions;
}

std::optional<PairedChange> noise_floor(std::span<const BenchResult> starts)
{
	std::array<std::vector<double>, 2> sides;
	for (size_t start = 0; start + 1 < starts.size(); start += 2)
		for (size_t side : {0, 1})
			sides[side].push_back(kMetrics[0].value(starts[start + side].arms[0]));
	return compare_pairs(sides[0], sides[1]);
}

}  // namespace punctual
