// SPDX-License-Identifier: GPL-2.0-only
#include "measure/paired.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "measure/student.h"

namespace punctual {
namespace {

constexpr size_t kExactPairsMax = 16;  // 65,536 ways; beyond that some are drawn
constexpr u64 kFlipsDrawn = 100'000;
constexpr double kLevel = 0.05;
// Normal quantiles of 97.5 % and 85 %: aimed a little higher than the four of five that are promised, since test and
// interval must agree and the spread is known only roughly.
constexpr double kNormal95 = 1.96, kNormal85 = 1.036;
constexpr size_t kPairsMax = 10'000;

double mean_of(std::span<const double> values)
{
	return std::reduce(values.begin(), values.end()) / static_cast<double>(values.size());
}

double spread_of(std::span<const double> values)
{
	const double mean = mean_of(values);
	double sum = 0;
	for (double value : values)
		sum += (value - mean) * (value - mean);
	return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

// The sum with the signs that the bits of `flips` say.
double flipped_sum(std::span<const double> values, u64 flips)
{
	double sum = 0;
	for (size_t i = 0; i < values.size(); i++)
		sum += flips >> (i % 64) & 1 ? -values[i] : values[i];
	return sum;
}

// Equal sums may differ in their last digits by the order of additions.
bool reaches(double sum, double observed)
{
	return std::abs(sum) >= std::abs(observed) * (1 - 1e-9);
}

double sign_flip_p(std::span<const double> values, std::mt19937_64& random)
{
	const double observed = std::reduce(values.begin(), values.end());
	u64 nr_reached = 0;
	if (values.size() <= kExactPairsMax) {
		const u64 ways = 1ULL << values.size();
		for (u64 flips = 0; flips < ways; flips++)
			nr_reached += reaches(flipped_sum(values, flips), observed);
		return static_cast<double>(nr_reached) / static_cast<double>(ways);
	}
	for (u64 i = 0; i < kFlipsDrawn; i++) {
		double sum = 0;
		for (size_t at = 0; at < values.size(); at += 64)
			sum += flipped_sum(values.subspan(at, std::min<size_t>(64, values.size() - at)), random());
		nr_reached += reaches(sum, observed);
	}
	return static_cast<double>(nr_reached + 1) / static_cast<double>(kFlipsDrawn + 1);
}

void set_interval(PairedChange* change, std::span<const double> logs, u32 nr_resamples, std::mt19937_64& random)
{
	std::vector<double> means(std::max(nr_resamples, 1U));
	for (double& mean : means) {
		double sum = 0;
		for (size_t i = 0; i < logs.size(); i++)
			sum += logs[random() % logs.size()];
		mean = sum / static_cast<double>(logs.size());
	}
	std::ranges::sort(means);
	const auto at = [&](double part) {
		return means[static_cast<size_t>(part * static_cast<double>(means.size() - 1))];
	};
	const double middle = std::log(change->ratio), factor = small_sample_factor(logs.size());
	change->ratio_low = std::exp(middle + factor * (at(0.025) - middle));
	change->ratio_high = std::exp(middle + factor * (at(0.975) - middle));
}

std::string percent(double ratio)
{
	return fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

}  // namespace

std::optional<PairedChange> compare_pairs(std::span<const double> a, std::span<const double> b,
					  const PairedOptions& options)
{
	const auto is_positive = [](double value) { return value > 0 && std::isfinite(value); };
	if (a.size() != b.size() || a.size() < 2 || !std::ranges::all_of(a, is_positive) ||
	    !std::ranges::all_of(b, is_positive))
		return std::nullopt;
	std::vector<double> logs(a.size());
	std::ranges::transform(a, b, logs.begin(), [](double one, double other) { return std::log(other / one); });
	PairedChange change{.nr_pairs = logs.size(), .ratio = std::exp(mean_of(logs)), .spread = spread_of(logs)};
	std::mt19937_64 random(options.seed);
	change.p = sign_flip_p(logs, random);
	set_interval(&change, logs, options.nr_resamples, random);
	return change;
}

std::vector<double> holm(std::span<const double> p)
{
	std::vector<size_t> order(p.size());
	std::iota(order.begin(), order.end(), 0);
	std::ranges::sort(order, {}, [&](size_t at) { return p[at]; });
	std::vector<double> corrected(p.size());
	double floor = 0;
	for (size_t rank = 0; rank < order.size(); rank++) {
		floor = std::max(floor, std::min(1.0, p[order[rank]] * static_cast<double>(p.size() - rank)));
		corrected[order[rank]] = floor;
	}
	return corrected;
}

double detectable_ratio(double spread, size_t nr_pairs)
{
	const double both = student_t(kNormal95, nr_pairs) + student_t(kNormal85, nr_pairs);
	return std::exp(both * spread / std::sqrt(static_cast<double>(std::max<size_t>(nr_pairs, 1))));
}

size_t pairs_min(size_t nr_questions)
{
	size_t nr = 1;
	while (nr < kPairsMax && static_cast<double>(nr_questions) * std::exp2(1 - static_cast<double>(nr)) >= kLevel)
		nr++;
	return nr;
}

size_t pairs_needed(double spread, double ratio)
{
	size_t nr = pairs_min(1);
	while (nr < kPairsMax && detectable_ratio(spread, nr) > ratio)
		nr++;
	return nr;
}

std::string_view verdict_name(PairedVerdict verdict)
{
	constexpr std::array<std::string_view, 4> kNames = {"better", "worse", "no difference", "inconclusive"};
	return kNames[std::to_underlying(verdict)];
}

PairedJudgement judge_pairs(const PairedChange& change, double p, size_t nr_questions, double margin,
			    bool higher_is_better)
{
	const std::string interval = fmt::format("{} to {}", percent(change.ratio_low), percent(change.ratio_high));
	if (const size_t nr_min = pairs_min(nr_questions); change.nr_pairs < nr_min)
		return {
		    PairedVerdict::inconclusive,
		    fmt::format("{} pairs are too few for {}, {} would do", change.nr_pairs,
				nr_questions == 1 ? "a verdict" : fmt::format("verdicts on {} questions", nr_questions),
				nr_min)};
	const bool excludes_one = change.ratio_low > 1 || change.ratio_high < 1;
	if (p < kLevel && excludes_one)
		return {(change.ratio > 1) == higher_is_better ? PairedVerdict::better : PairedVerdict::worse,
			fmt::format("{}, p {:.2g}", interval, p)};
	if (change.ratio_low > 1 / (1 + margin) && change.ratio_high < 1 + margin)
		return {PairedVerdict::no_difference,
			fmt::format("none larger than {:g} %: {}", 100 * margin, interval)};
	return {PairedVerdict::inconclusive,
		fmt::format("{}, p {:.2g}; {} pairs show a change of {} in four of five cases, {} pairs one of {:g} %",
			    interval, p, change.nr_pairs, percent(detectable_ratio(change.spread, change.nr_pairs)),
			    pairs_needed(change.spread, 1 + margin), 100 * margin)};
}

}  // namespace punctual
