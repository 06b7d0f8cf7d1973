// SPDX-License-Identifier: GPL-2.0-only
#include "measure/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "measure/student.h"

namespace punctual {
namespace {

constexpr double kCorrelationMax = 0.8;  // beyond that, blocks of this length say nothing

// The buckets from the first to the last that any block uses, block after block: what a resample adds up.
class Blocks {
 public:
	explicit Blocks(std::span<const WaitCounts> blocks) : nr_(blocks.size())
	{
		u32 first = LOGLIN_RUNQ_BUCKETS, last = 0;
		for (const WaitCounts& block : blocks)
			for (u32 i = 0; i < block.buckets.size(); i++)
				if (block.buckets[i]) {
					first = std::min(first, i);
					last = std::max(last, i);
				}
		first_ = std::min(first, last);
		width_ = last - first_ + 1;
		counts_.resize(nr_ * width_);
		for (size_t at = 0; at < nr_; at++)
			for (u32 i = 0; i < width_ && !blocks[at].buckets.empty(); i++)
				counts_[at * width_ + i] = static_cast<double>(blocks[at].buckets[first_ + i]);
	}

	size_t size() const { return nr_; }
	std::span<const double> block(size_t at) const { return std::span(counts_).subspan(at * width_, width_); }

	std::vector<double> sum() const
	{
		std::vector<double> sum(width_);
		for (size_t at = 0; at < nr_; at++)
			add(at, sum);
		return sum;
	}
	// As many blocks as there are, each any of them.
	void draw(std::mt19937_64& random, std::vector<double>& sum) const
	{
		sum.assign(width_, 0);
		for (size_t i = 0; i < nr_; i++)
			add(random() % nr_, sum);
	}
	// Linear inside the bucket: else the ratio would jump by a bucket's width. 0 when nothing is there.
	double quantile_ns(std::span<const double> counts, double quantile) const
	{
		const double rank = quantile * std::reduce(counts.begin(), counts.end());
		double below = 0;
		for (u32 i = 0; i < counts.size(); i++) {
			if (counts[i] > 0 && below + counts[i] >= rank) {
				const auto low = static_cast<double>(loglin_min(first_ + i, LOGLIN_RUNQ_BITS));
				const auto high = static_cast<double>(loglin_max(first_ + i, LOGLIN_RUNQ_BITS)) + 1;
				return low + (high - low) * (rank - below) / counts[i];
			}
			below += counts[i];
		}
		return 0;
	}

 private:
	void add(size_t at, std::vector<double>& sum) const
	{
		const std::span<const double> added = block(at);
		for (size_t i = 0; i < width_; i++)
			sum[i] += added[i];
	}

	size_t nr_;
	u32 first_ = 0;
	size_t width_ = 0;
	std::vector<double> counts_;
};

// How much wider the error is because a block follows the one before it, from the correlation of their quantiles.
double correlation_factor(const Blocks& blocks, double quantile)
{
	std::vector<double> values;
	for (size_t at = 0; at < blocks.size(); at++)
		if (const double value = blocks.quantile_ns(blocks.block(at), quantile); value > 0)
			values.push_back(std::log(value));
	if (values.size() < 3)
		return 1;
	const double mean = std::reduce(values.begin(), values.end()) / static_cast<double>(values.size());
	double variance = 0, covariance = 0;
	for (size_t i = 0; i < values.size(); i++) {
		variance += (values[i] - mean) * (values[i] - mean);
		if (i)
			covariance += (values[i] - mean) * (values[i - 1] - mean);
	}
	if (variance == 0)
		return 1;
	const double r = std::clamp(covariance / variance, 0.0, kCorrelationMax);
	return std::sqrt((1 + r) / (1 - r));
}

double beyond(std::span<const double> counts, double quantile)
{
	return (1 - quantile) * std::reduce(counts.begin(), counts.end());
}

// The middle `confidence` of the drawn log ratios, widened about the observed one.
void set_interval(QuantileChange* change, std::vector<double>& log_ratios, double confidence, double factor)
{
	std::ranges::sort(log_ratios);
	auto at = [&](double part) {
		return log_ratios[static_cast<size_t>(part * static_cast<double>(log_ratios.size() - 1))];
	};
	const double middle = std::log(change->ratio);
	change->ratio_low = std::exp(middle + factor * std::min(at((1 - confidence) / 2) - middle, 0.0));
	change->ratio_high = std::exp(middle + factor * std::max(at((1 + confidence) / 2) - middle, 0.0));
}

std::string percent(double ratio)
{
	return fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

}  // namespace

std::vector<QuantileChange> compare_quantiles(std::span<const WaitCounts> a, std::span<const WaitCounts> b,
					      std::span<const double> quantiles, const BootstrapOptions& options)
{
	const Blocks blocks_a(a), blocks_b(b);
	std::vector<double> sum_a = blocks_a.sum(), sum_b = blocks_b.sum();
	auto is_empty = [](const std::vector<double>& sum) { return std::reduce(sum.begin(), sum.end()) == 0; };
	if (a.size() < 2 || b.size() < 2 || is_empty(sum_a) || is_empty(sum_b))
		return {};
	std::vector<QuantileChange> changes;
	for (double quantile : quantiles) {
		QuantileChange& change = changes.emplace_back();
		change.quantile = quantile;
		change.a_ns = blocks_a.quantile_ns(sum_a, quantile);
		change.b_ns = blocks_b.quantile_ns(sum_b, quantile);
		change.ratio = change.b_ns / change.a_ns;
		change.nr_beyond = static_cast<u64>(std::min(beyond(sum_a, quantile), beyond(sum_b, quantile)));
	}
	std::vector<std::vector<double>> log_ratios(quantiles.size());
	std::mt19937_64 random(options.seed);
	for (u32 i = 0; i < std::max(options.nr_resamples, 1U); i++) {
		blocks_a.draw(random, sum_a);
		blocks_b.draw(random, sum_b);
		for (size_t q = 0; q < quantiles.size(); q++) {
			const double a_ns = blocks_a.quantile_ns(sum_a, quantiles[q]);
			const double b_ns = blocks_b.quantile_ns(sum_b, quantiles[q]);
			if (a_ns > 0 && b_ns > 0)  // not when all blocks that were drawn are empty
				log_ratios[q].push_back(std::log(b_ns / a_ns));
		}
	}
	for (size_t q = 0; q < quantiles.size(); q++) {
		const double factor =
		    small_sample_factor(std::min(a.size(), b.size())) *
		    std::max(correlation_factor(blocks_a, quantiles[q]), correlation_factor(blocks_b, quantiles[q]));
		if (!log_ratios[q].empty())
			set_interval(&changes[q], log_ratios[q], options.confidence, factor);
	}
	return changes;
}

Judgement judge(const QuantileChange& change, size_t nr_blocks_a, size_t nr_blocks_b, double noise)
{
	const std::string interval =
	    fmt::format("between {} and {}", percent(change.ratio_low), percent(change.ratio_high));
	if (std::min(nr_blocks_a, nr_blocks_b) < kBlocksMin)
		return {Verdict::inconclusive, fmt::format("too short: {} blocks of time, at least {} are needed",
							   std::min(nr_blocks_a, nr_blocks_b), kBlocksMin)};
	if (!change.is_firm())
		return {Verdict::inconclusive,
			fmt::format("too few waits: {} lie above the quantile, at least {} are needed",
				    change.nr_beyond, QuantileChange::kBeyondMin)};
	const bool excludes_one = change.ratio_low > 1 || change.ratio_high < 1;
	if (excludes_one && change.ratio >= 1 + noise)
		return {Verdict::worse, fmt::format("longer by {}, {}", percent(change.ratio), interval)};
	if (excludes_one && change.ratio <= 1 / (1 + noise))
		return {Verdict::better, fmt::format("shorter: {}, {}", percent(change.ratio), interval)};
	const double seen = 1 + kResolution * noise;
	if (change.ratio_low > 1 / seen && change.ratio_high < seen)
		return {Verdict::no_difference, fmt::format("the change is {}", interval)};
	return {Verdict::inconclusive,
		fmt::format("the change is {}, which is too wide to tell: record for longer", interval)};
}

}  // namespace punctual
