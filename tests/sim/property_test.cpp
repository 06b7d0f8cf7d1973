// SPDX-License-Identifier: GPL-2.0-only
// Random machines and workloads, and the invariants that hold on each of them.
//
// PUNCTUAL_SIM_RUNS says how many seeds are tried, beginning with 1, and one more that is new each time.
// PUNCTUAL_SIM_SEED runs a single one: what a failure prints.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include "scenarios.h"

namespace punctual::sim {
namespace {

u64 number_in_environment(const char* name, u64 otherwise)
{
	const char* text = std::getenv(name);
	return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::vector<u64> seeds()
{
	if (u64 one = number_in_environment("PUNCTUAL_SIM_SEED", 0))
		return {one};
	std::vector<u64> all;
	for (u64 seed = 1; seed <= number_in_environment("PUNCTUAL_SIM_RUNS", 2000); seed++)
		all.push_back(seed);
	all.push_back(std::random_device()() + (1ULL << 32));
	std::printf("fresh seed: %llu\n", all.back());
	return all;
}

std::string replay(u64 seed)
{
	const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
	return fmt::format("seed {}; again: PUNCTUAL_SIM_SEED={} sim_property_test --gtest_filter={}.{}", seed, seed,
			   test->test_suite_name(), test->name());
}

constexpr u32 kFailuresMax = 5;  // the first ones tell enough
constexpr size_t kSeedsPerWindow = 4;
constexpr size_t kSeedsPerLarge = 20;  // each takes as long as many others

// An idle CPU was claimed, finds nothing in ops.dispatch, and something is queued before it is marked idle again: the
// kernel tells nobody of that.
TEST(Random, I1_OfACpuThatIsIdleAgain)
{
	for (u64 seed : {1923, 2417})
		EXPECT_TRUE(simulate(random_scenario(seed)).broken.empty()) << "seed " << seed;
}

// An idle CPU of another cache was claimed, and took a task that woke up there instead.
TEST(Random, I1_OfACpuClaimedFromAnotherCache)
{
	EXPECT_TRUE(simulate(random_scenario(9728)).broken.empty());
}

TEST(Random, AuditFindsNothingOnAnyMachine)
{
	for (u64 seed : seeds()) {
		Outcome outcome = simulate(random_scenario(seed));
		for (const std::string& broken : outcome.broken)
			ADD_FAILURE() << broken << "\n" << replay(seed);
		if (testing::Test::HasFailure())
			break;
	}
}

TEST(Random, AuditFindsNothingOnLargeMachines)
{
	const std::vector<u64> all = seeds();
	for (size_t i = 0; i < all.size(); i += all.size() > 1 ? kSeedsPerLarge : 1) {
		const Outcome outcome = simulate(random_large_scenario(all[i]));
		for (const std::string& broken : outcome.broken)
			ADD_FAILURE() << broken << "\n" << replay(all[i]);
		if (testing::Test::HasFailure())
			break;
	}
}

TEST(Random, I3_AdmittedClassWaitsNoLongerThanTheContractSays)
{
	u32 failures = 0;
	for (u64 seed : seeds()) {
		Scenario scenario = random_admitted_scenario(seed);
		Outcome outcome = simulate(scenario);
		for (u32 i = 0; i < scenario.classes.size(); i++) {
			u64 longest_ns = longest_wait_ns(scenario, outcome, i);
			if (outcome.classes[i].waits.max_ns() > longest_ns && ++failures <= kFailuresMax)
				std::cout << "class " << i << " waited " << outcome.classes[i].waits.max_ns()
					  << " ns, at most " << longest_ns << "; budget "
					  << scenario.classes[i].budget_ns << "\n"
					  << replay(seed) << "\n";
		}
	}
	EXPECT_EQ(failures, 0U);
}

// The windows are longer than the other runs, so it is fewer seeds.
TEST(Random, AdmittedClassIsNeverSaidToBeInfeasible)
{
	u32 failures = 0;
	std::vector<u64> tried = seeds();
	for (size_t i = 0; i < tried.size(); i += tried.size() > 1 ? kSeedsPerWindow : 1) {
		Scenario scenario = random_admitted_scenario(tried[i]);
		scenario.duration_ns = 320 * kMillisecond;
		scenario.audit = false;
		Outcome outcome = simulate(scenario);
		for (u32 k = 0; k < scenario.classes.size(); k++) {
			const class_verdict& verdict = outcome.classes[k].verdict;
			if (verdict.nr_infeasible && ++failures <= kFailuresMax)
				std::cout << "class " << k << " of budget " << scenario.classes[k].budget_ns
					  << ": reason " << verdict.reason << ", " << verdict.nr_missed
					  << " waits late by " << verdict.late_ns << " ns, shortest "
					  << verdict.wait_ns_min << "\n"
					  << replay(tried[i]) << "\n";
		}
	}
	EXPECT_EQ(failures, 0U);
}

}  // namespace
}  // namespace punctual::sim
