// SPDX-License-Identifier: GPL-2.0-only
// The guard's decisions: what is loaded, when, and when nothing is.
#include "guard/guard_state.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace punctual {
namespace {

using Kind = GuardEventKind;
using Act = GuardActionKind;

constexpr int64_t kMinuteNs = 60 * kSecondNs;

// A guard, its clock, and what it was told.
class Guard {
 public:
	GuardStep tell(const GuardEvent& event) { return next(limits, &state, event, now_ns); }
	GuardStep tell(Kind kind) { return tell(GuardEvent{.kind = kind}); }
	GuardStep exits(ExitClass exit_class) { return tell({Kind::exited, exit_class, "because"}); }
	void load()
	{
		now_ns = std::max(now_ns, state.wait_until_ns);
		ASSERT_EQ(tell(state.nr_loads ? Kind::woke : Kind::started).action, Act::load);
		tell(Kind::loaded);
	}

	GuardLimits limits;
	GuardState state;
	int64_t now_ns = 1'000'000 * kSecondNs;
};

TEST(Guard, LoadsAtOnceWhenNothingIsKnown)
{
	Guard guard;
	EXPECT_EQ(guard.tell(Kind::started).action, Act::load);
}

TEST(Guard, FaultIsFollowedByAWaitAndALoad)
{
	Guard guard;
	guard.load();
	const GuardStep step = guard.exits(ExitClass::error);
	EXPECT_EQ(step.action, Act::wait);
	ASSERT_EQ(step.alerts.size(), 1U);
	EXPECT_TRUE(step.alerts[0].fell_back);
	EXPECT_EQ(guard.tell(Kind::woke).action, Act::wait);  // too early
	guard.now_ns = guard.state.wait_until_ns;
	EXPECT_EQ(guard.tell(Kind::woke).action, Act::load);
}

TEST(Guard, BreakerOpensAtTheThirdFault)
{
	Guard guard;
	for (int fault = 1; fault <= 2; fault++) {
		guard.load();
		EXPECT_EQ(guard.exits(ExitClass::stall).action, Act::wait);
	}
	guard.load();
	const GuardStep step = guard.exits(ExitClass::stall);
	EXPECT_EQ(step.action, Act::stay);
	EXPECT_EQ(step.alerts.at(0).level, AlertLevel::critical);
	guard.now_ns += 100'000 * kMinuteNs;
	EXPECT_EQ(guard.tell(Kind::woke).action, Act::stay);  // time alone does not close it
	EXPECT_EQ(guard.tell(Kind::reset).action, Act::load);
	guard.tell(Kind::loaded);
	EXPECT_EQ(guard.exits(ExitClass::error).action, Act::wait);  // and counts anew
}

TEST(Guard, BreakerOutlivesStopAndStart)
{
	Guard guard;
	for (int fault = 1; fault <= 3; fault++) {
		guard.load();
		guard.exits(ExitClass::error);
	}
	EXPECT_EQ(guard.tell(Kind::stop).action, Act::end);
	EXPECT_EQ(guard.tell(Kind::started).action, Act::stay);
	EXPECT_EQ(guard.state.phase, GuardPhase::held);
}

TEST(Guard, FaultsFarApartDoNotOpenTheBreaker)
{
	Guard guard;
	for (int fault = 1; fault <= 20; fault++) {
		guard.load();
		guard.now_ns += 5 * kMinuteNs + kSecondNs;
		EXPECT_EQ(guard.exits(ExitClass::error).action, Act::wait) << fault;
	}
}

TEST(Guard, HealthyPeriodForgivesTheBackOff)
{
	Guard guard;
	guard.load();
	guard.exits(ExitClass::error);
	guard.load();
	guard.exits(ExitClass::error);
	EXPECT_EQ(guard.state.nr_faults_in_row, 2U);
	guard.load();
	guard.now_ns += guard.limits.healthy_ns;
	guard.exits(ExitClass::error);
	EXPECT_EQ(guard.state.nr_faults_in_row, 1U);
	EXPECT_EQ(guard.state.faults_ns.size(), 1U);
}

TEST(Guard, BackOffGrowsAndIsBounded)
{
	const GuardLimits limits;
	uint64_t random = 4711;
	int64_t before_ns = 0;
	for (uint64_t fault : {1U, 2U, 3U, 4U}) {
		const int64_t wait_ns = back_off_ns(limits, fault, &random);
		EXPECT_GT(wait_ns, before_ns);  // the jitter is less than a doubling
		before_ns = wait_ns;
	}
	for (uint64_t fault = 1; fault < 200; fault++) {
		const int64_t wait_ns = back_off_ns(limits, fault, &random);
		EXPECT_GE(wait_ns, limits.back_off_first_ns);
		EXPECT_LE(wait_ns, limits.back_off_max_ns * 5 / 4);
	}
	EXPECT_LE(back_off_ns(limits, UINT64_MAX, &random), limits.back_off_max_ns * 5 / 4);
}

TEST(Guard, BackOffOfTwoSeedsDiffers)
{
	const GuardLimits limits;
	uint64_t one = 1, two = 2;
	EXPECT_NE(back_off_ns(limits, 5, &one), back_off_ns(limits, 5, &two));
}

TEST(Guard, HotplugIsNoFault)
{
	Guard guard;
	guard.load();
	for (size_t change = 0; change < guard.limits.hotplugs_max; change++) {
		const GuardStep step = guard.exits(ExitClass::hotplug);
		ASSERT_EQ(step.action, Act::load) << change;
		EXPECT_FALSE(step.alerts.at(0).fell_back);
		guard.tell(Kind::loaded);
	}
	EXPECT_TRUE(guard.state.faults_ns.empty());
	EXPECT_EQ(guard.exits(ExitClass::hotplug).action, Act::wait);  // a hundred in no time are a fault of their own
}

TEST(Guard, WhatAPersonDidIsNotUndone)
{
	for (ExitClass exit_class : {ExitClass::asked_for, ExitClass::sysrq}) {
		Guard guard;
		guard.load();
		EXPECT_EQ(guard.exits(exit_class).action, Act::stay);
		guard.now_ns += 100 * kMinuteNs;
		EXPECT_EQ(guard.tell(Kind::woke).action, Act::stay);
		EXPECT_TRUE(guard.state.faults_ns.empty());
		// A stop and a start say as much as a reset.
		guard.tell(Kind::stop);
		EXPECT_EQ(guard.tell(Kind::started).action, Act::load);
	}
}

TEST(Guard, ForeignSchedulerIsNotFought)
{
	Guard guard;
	guard.tell(Kind::started);
	const GuardStep step = guard.tell({Kind::foreign, ExitClass::error, "scx_other"});
	EXPECT_EQ(step.action, Act::stay);
	EXPECT_NE(step.alerts.at(0).words.find("scx_other"), std::string::npos);
	guard.now_ns += 100 * kMinuteNs;
	EXPECT_EQ(guard.tell(Kind::woke).action, Act::stay);
	EXPECT_EQ(guard.tell(Kind::reset).action, Act::load);
}

TEST(Guard, RuleThatFallsBackUnloadsOnceAndCounts)
{
	Guard guard;
	guard.load();
	EXPECT_EQ(guard.tell({Kind::broken, {}, "p99"}).action, Act::unload);
	EXPECT_EQ(guard.tell({Kind::broken, {}, "again"}).action, Act::stay);
	const GuardStep step = guard.exits(ExitClass::asked_for);  // by us
	EXPECT_EQ(step.action, Act::wait);
	EXPECT_NE(step.alerts.at(0).words.find("p99"), std::string::npos);
	EXPECT_EQ(guard.state.faults_ns.size(), 1U);
	EXPECT_EQ(guard.state.nr_exits[static_cast<size_t>(ExitClass::slo)], 1U);
}

TEST(Guard, RuleThatWarnsLeavesTheSchedulerLoaded)
{
	Guard guard;
	guard.load();
	const GuardStep step = guard.tell({Kind::warned, {}, "p99"});
	EXPECT_EQ(step.action, Act::stay);
	EXPECT_EQ(step.alerts.at(0).level, AlertLevel::warning);
	EXPECT_EQ(guard.state.phase, GuardPhase::running);
}

TEST(Guard, KilledGuardIsNoFaultOfTheScheduler)
{
	Guard guard;
	guard.load();
	const GuardStep step = guard.tell(Kind::started);  // the next process, with the state of the dead one
	EXPECT_EQ(step.action, Act::load);
	EXPECT_NE(step.alerts.at(0).words.find("killed"), std::string::npos);
	EXPECT_TRUE(guard.state.faults_ns.empty());
}

TEST(Guard, RestartIsNoWayRoundTheBackOff)
{
	Guard guard;
	guard.load();
	guard.exits(ExitClass::error);
	guard.tell(Kind::stop);
	EXPECT_EQ(guard.tell(Kind::started).action, Act::wait);
	EXPECT_EQ(guard.tell(Kind::started).action, Act::wait);  // nor is a kill
}

// A reboot: another process under another kernel, which has the state that was on the disk.
TEST(Guard, LoopOfRebootsOpensTheBreaker)
{
	Guard guard;
	EXPECT_EQ(guard.tell({Kind::started, {}, "boot 1"}).action, Act::load);
	for (int boot = 2; boot <= 3; boot++) {
		guard.tell({Kind::loaded, {}, "latency"});
		guard.now_ns += kMinuteNs;
		const GuardStep step = guard.tell({Kind::started, {}, "boot " + std::to_string(boot)});
		EXPECT_EQ(step.action, Act::wait);
		EXPECT_NE(step.alerts.at(0).words.find("went down while latency was loaded"), std::string::npos);
		EXPECT_FALSE(step.alerts.at(0).fell_back);
		guard.now_ns = guard.state.wait_until_ns;
		EXPECT_EQ(guard.tell(Kind::woke).action, Act::load);
	}
	guard.now_ns += kMinuteNs;
	EXPECT_EQ(guard.tell({Kind::started, {}, "boot 4"}).action, Act::stay);  // also when it only was about to load
	EXPECT_EQ(guard.state.held_by, HeldBy::breaker);
	guard.now_ns += kMinuteNs;
	EXPECT_EQ(guard.tell({Kind::started, {}, "boot 5"}).action, Act::stay);
}

TEST(Guard, FaultsBeforeARebootCount)
{
	Guard guard;
	guard.tell({Kind::started, {}, "boot 1"});
	guard.tell(Kind::loaded);
	guard.exits(ExitClass::error);
	guard.load();
	guard.exits(ExitClass::error);
	guard.tell(Kind::stop);  // an orderly one
	guard.now_ns += 2 * kMinuteNs;
	EXPECT_EQ(guard.tell({Kind::started, {}, "boot 2"}).action, Act::load);
	guard.tell(Kind::loaded);
	EXPECT_EQ(guard.exits(ExitClass::error).action, Act::stay);
	EXPECT_EQ(guard.state.held_by, HeldBy::breaker);
}

TEST(Guard, OrderlyRebootIsNoFault)
{
	Guard guard;
	guard.tell({Kind::started, {}, "boot 1"});
	guard.tell(Kind::loaded);
	guard.tell(Kind::stop);
	const GuardStep step = guard.tell({Kind::started, {}, "boot 2"});
	EXPECT_EQ(step.action, Act::load);
	EXPECT_TRUE(step.alerts.empty());
	EXPECT_TRUE(guard.state.faults_ns.empty());
}

TEST(Guard, ReloadIsNoFaultAndNoWait)
{
	Guard guard;
	guard.load();
	const GuardStep step = guard.tell(Kind::reload);
	EXPECT_EQ(step.action, Act::reload);
	EXPECT_TRUE(step.alerts.empty());
	EXPECT_EQ(guard.tell(Kind::loaded).action, Act::stay);
	EXPECT_TRUE(guard.state.faults_ns.empty());
	EXPECT_EQ(guard.state.phase, GuardPhase::running);
	// What the kernel does not take is a fault like any other.
	guard.tell(Kind::reload);
	EXPECT_EQ(guard.exits(ExitClass::refused).action, Act::wait);
	EXPECT_EQ(guard.state.faults_ns.size(), 1U);
}

TEST(Guard, ReloadLoadsNothingThatIsNotLoaded)
{
	Guard guard;
	guard.load();
	guard.exits(ExitClass::error);
	EXPECT_EQ(guard.tell(Kind::reload).action, Act::wait);
	guard.load();
	guard.exits(ExitClass::asked_for);
	EXPECT_EQ(guard.tell(Kind::reload).action, Act::stay);
	EXPECT_EQ(guard.state.phase, GuardPhase::held);
}

TEST(Guard, PersonUnloadsWhateverItDoes)
{
	Guard guard;
	guard.load();
	EXPECT_EQ(guard.tell(Kind::unload).action, Act::unload);
	EXPECT_EQ(guard.exits(ExitClass::asked_for).action, Act::stay);
	EXPECT_EQ(guard.state.held_by, HeldBy::person);
	EXPECT_TRUE(guard.state.faults_ns.empty());
	guard.tell(Kind::reset);
	guard.tell(Kind::loaded);
	guard.exits(ExitClass::error);
	EXPECT_EQ(guard.tell(Kind::unload).action, Act::stay);  // and does not load when the wait is over
	EXPECT_EQ(guard.state.held_by, HeldBy::person);
	EXPECT_EQ(guard.tell(Kind::unload).action, Act::stay);
}

TEST(Guard, StateThatIsForgivenLoadsAtTheNextStart)
{
	Guard guard;
	for (int fault = 1; fault <= 3; fault++) {
		guard.load();
		guard.exits(ExitClass::error);
	}
	guard.tell(Kind::stop);
	const uint64_t nr_loads = guard.state.nr_loads;
	forgive(&guard.state);
	EXPECT_EQ(guard.state.nr_loads, nr_loads);
	const GuardStep step = guard.tell(Kind::started);
	EXPECT_EQ(step.action, Act::load);
	EXPECT_TRUE(step.alerts.empty());
	guard.tell(Kind::loaded);
	EXPECT_EQ(guard.exits(ExitClass::error).action, Act::wait);  // and counts anew
}

TEST(Guard, StopEndsInEveryPhase)
{
	for (GuardPhase phase : {GuardPhase::resting, GuardPhase::loading, GuardPhase::running, GuardPhase::unloading,
				 GuardPhase::held, GuardPhase::ended}) {
		Guard guard;
		guard.state.phase = phase;
		EXPECT_EQ(guard.tell(Kind::stop).action, Act::end);
	}
}

TEST(Guard, ClockSetBackDoesNotProlongAWait)
{
	Guard guard;
	guard.load();
	guard.exits(ExitClass::error);
	guard.now_ns -= 1000 * kMinuteNs;
	EXPECT_EQ(guard.tell(Kind::woke).action, Act::wait);
	guard.now_ns += guard.limits.back_off_max_ns * 5 / 4;
	EXPECT_EQ(guard.tell(Kind::woke).action, Act::load);
}

// Whatever happens in whatever order, but for clocks that jump: in no ten minutes more loads than faults that are
// allowed, CPUs that came and went, persons who reset, and processes that started.
TEST(Guard, LoadsOfTenMinutesAreBounded)
{
	std::mt19937 chance(20261127);
	const auto below = [&](int limit) { return static_cast<int>(chance() % static_cast<unsigned>(limit)); };
	for (int run = 0; run < 300; run++) {
		Guard guard;
		std::vector<int64_t> loads, allowed;  // when
		for (int step = 0; step < 400; step++) {
			guard.now_ns += below(3) ? below(2000) * kSecondNs / 1000 : below(200) * kSecondNs;
			// Mostly what makes loads: it loads, fails, and waits. Anything else now and then.
			const GuardPhase phase = guard.state.phase;
			const Kind usual = phase == GuardPhase::loading && below(4) ? Kind::loaded
					   : phase == GuardPhase::resting           ? Kind::woke
										    : Kind::exited;
			const ExitClass exit_class = below(20) ? ExitClass::error : static_cast<ExitClass>(below(8));
			GuardEvent event{below(20) ? usual : static_cast<Kind>(below(12)), exit_class, "x"};
			// Only what is loaded or asked for can end or be reported as loaded.
			const bool is_up = phase == GuardPhase::running || phase == GuardPhase::unloading;
			if ((event.kind == Kind::exited && !is_up && phase != GuardPhase::loading) ||
			    (event.kind == Kind::loaded && phase != GuardPhase::loading))
				event.kind = Kind::woke;
			const bool is_free = event.kind == Kind::started || event.kind == Kind::reset ||
					     event.kind == Kind::stop || event.kind == Kind::reload ||
					     (event.kind == Kind::exited && event.exit_class == ExitClass::hotplug);
			// A reset forgives all faults: it is good for as many loads as a new guard.
			if (is_free)
				allowed.insert(allowed.end(), event.kind == Kind::reset ? guard.limits.faults_max : 1,
					       guard.now_ns);
			const Act action = guard.tell(event).action;
			if (action == Act::load || action == Act::reload)
				loads.push_back(guard.now_ns);
			const auto lately = [&](int64_t at) {
				return guard.now_ns - at < guard.limits.fault_window_ns;
			};
			ASSERT_LE(std::ranges::count_if(loads, lately),
				  std::ranges::count_if(allowed, lately) + static_cast<long>(guard.limits.faults_max))
			    << "run " << run << ", step " << step;
		}
	}
}

}  // namespace
}  // namespace punctual
