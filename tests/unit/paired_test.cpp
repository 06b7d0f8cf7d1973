// SPDX-License-Identifier: GPL-2.0-only
#include "measure/paired.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace punctual {
namespace {

// Runs of two arms: pairs share what a start does to both, each run has a spread of its own.
struct Runs {
	std::vector<double> a, b;
};

Runs runs_of(size_t nr_pairs, double ratio, double spread, u64 seed)
{
	std::mt19937_64 random(seed);
	std::normal_distribution<double> normal;
	Runs runs;
	for (size_t i = 0; i < nr_pairs; i++) {
		const double start = 50'000 * std::exp(0.5 * normal(random));
		runs.a.push_back(start * std::exp(spread * normal(random)));
		runs.b.push_back(start * ratio * std::exp(spread * normal(random)));
	}
	return runs;
}

constexpr PairedOptions kQuick = {.nr_resamples = 300};
constexpr double kSpread = 0.15;                           // of a run
const double kPairSpread = kSpread * std::numbers::sqrt2;  // of a log ratio

// How many of 200 experiments are judged better or worse.
int decided(size_t nr_pairs, double ratio, PairedVerdict wanted)
{
	int nr = 0;
	for (u64 seed = 0; seed < 200; seed++) {
		const Runs runs = runs_of(nr_pairs, ratio, kSpread, seed);
		const auto change = compare_pairs(runs.a, runs.b, kQuick);
		nr += change && judge_pairs(*change, change->p, 1, 0.05, false).verdict == wanted;
	}
	return nr;
}

TEST(Paired, ArmsThatAreTheSameAreSeldomToldApart)
{
	for (size_t nr_pairs : {6, 12})
		EXPECT_LE(decided(nr_pairs, 1, PairedVerdict::better) + decided(nr_pairs, 1, PairedVerdict::worse), 14)
		    << nr_pairs;
}

TEST(Paired, AFifthIsFoundAtTheNumberOfPairsThatIsPrinted)
{
	const size_t nr_pairs = pairs_needed(kPairSpread, 1.2);
	EXPECT_GE(decided(nr_pairs, 1.2, PairedVerdict::worse), 160) << nr_pairs;
	EXPECT_GE(decided(nr_pairs, 1 / 1.2, PairedVerdict::better), 160) << nr_pairs;
	EXPECT_LT(decided(nr_pairs / 2, 1.2, PairedVerdict::worse), 160);
}

TEST(Paired, TheIntervalHoldsTheTruth)
{
	for (size_t nr_pairs : {6, 12}) {
		int held = 0;
		for (u64 seed = 0; seed < 200; seed++) {
			const Runs runs = runs_of(nr_pairs, 1.3, kSpread, seed);
			const PairedChange change = *compare_pairs(runs.a, runs.b, kQuick);
			held += change.ratio_low <= 1.3 && 1.3 <= change.ratio_high;
		}
		EXPECT_GE(held, 182) << nr_pairs;  // 95 % of 200, less 2.6 standard deviations
	}
}

TEST(Paired, TheLeastPOfNPairsIsTwoOfAllWays)
{
	const std::vector<double> a = {10, 20, 30, 40}, b = {11, 23, 34, 47};
	EXPECT_DOUBLE_EQ(compare_pairs(a, b)->p, 2.0 / 16);
	EXPECT_DOUBLE_EQ(compare_pairs(std::span(a).first(3), std::span(b).first(3))->p, 0.25);
	EXPECT_DOUBLE_EQ(compare_pairs(a, a)->p, 1);
}

TEST(Paired, ManyPairsAreDrawnAndAgree)
{
	const Runs runs = runs_of(30, 1.05, kSpread, 7);
	const PairedChange change = *compare_pairs(runs.a, runs.b, kQuick);
	// The normal approximation of the permutation distribution.
	const double z = std::abs(std::log(change.ratio)) * std::sqrt(30) / change.spread;
	EXPECT_NEAR(change.p, std::erfc(z / std::numbers::sqrt2), 0.03);
	EXPECT_LT(compare_pairs(runs_of(100, 2, kSpread, 7).a, runs_of(100, 2, kSpread, 7).b, kQuick)->p, 1e-4);
}

TEST(Paired, RatioIsOfPairsNotOfMeans)
{
	const std::vector<double> a = {1, 100}, b = {2, 50};
	EXPECT_DOUBLE_EQ(compare_pairs(a, b)->ratio, 1);
}

TEST(Paired, NoRatioWithoutValuesAboveZero)
{
	const std::vector<double> a = {1, 2}, zero = {0, 2}, three = {1, 2, 3};
	EXPECT_FALSE(compare_pairs(a, zero));
	EXPECT_FALSE(compare_pairs(zero, a));
	EXPECT_FALSE(compare_pairs(a, three));
	EXPECT_FALSE(compare_pairs({}, {}));
}

TEST(Paired, HolmIsAsInTheBook)
{
	const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
	const std::vector<double> corrected = holm(p);
	const std::vector<double> wanted = {0.03, 0.06, 0.06, 0.02};
	for (size_t i = 0; i < p.size(); i++)
		EXPECT_NEAR(corrected[i], wanted[i], 1e-12) << i;
	EXPECT_TRUE(holm({}).empty());
}

TEST(Paired, FewPairsGetNoVerdict)
{
	const std::vector<double> a = {1, 1, 1, 1, 1}, b = {9, 9, 9, 9, 9};
	const PairedJudgement judgement = judge_pairs(*compare_pairs(a, b), 0, 1, 0.05, false);
	EXPECT_EQ(judgement.verdict, PairedVerdict::inconclusive);
	EXPECT_EQ(judgement.reason, "5 pairs are too few for a verdict, 6 would do");
}

TEST(Paired, SoManyPairsDecideSoManyQuestions)
{
	EXPECT_EQ(pairs_min(1), 6u);
	EXPECT_EQ(pairs_min(2), 7u);
	EXPECT_EQ(pairs_min(16), 10u);
	for (size_t nr_questions : {1, 2, 16}) {
		const std::vector<double> a(pairs_min(nr_questions), 1), b(a.size(), 9);
		const double p = holm(std::vector<double>(nr_questions, compare_pairs(a, b)->p)).front();
		EXPECT_EQ(judge_pairs(*compare_pairs(a, b), p, nr_questions, 0.05, false).verdict,
			  PairedVerdict::worse);
	}
}

TEST(Paired, NoDifferenceNeedsTheWholeIntervalWithinTheMargin)
{
	PairedChange change{.nr_pairs = 8, .ratio = 1.01, .ratio_low = 0.97, .ratio_high = 1.04};
	EXPECT_EQ(judge_pairs(change, 0.5, 1, 0.05, false).verdict, PairedVerdict::no_difference);
	change.ratio_high = 1.06;
	EXPECT_EQ(judge_pairs(change, 0.5, 1, 0.05, false).verdict, PairedVerdict::inconclusive);
}

TEST(Paired, CorrectedTestAndIntervalMustAgree)
{
	const PairedChange change{.nr_pairs = 8, .ratio = 1.3, .ratio_low = 1.1, .ratio_high = 1.5};
	EXPECT_EQ(judge_pairs(change, 0.04, 1, 0.05, false).verdict, PairedVerdict::worse);
	EXPECT_EQ(judge_pairs(change, 0.04, 1, 0.05, true).verdict, PairedVerdict::better);
	EXPECT_EQ(judge_pairs(change, 0.06, 1, 0.05, false).verdict, PairedVerdict::inconclusive);
}

}  // namespace
}  // namespace punctual
