// SPDX-License-Identifier: GPL-2.0-only
// A recorded trace as a load: demand and who wakes whom are kept, waits are not.
#include <gtest/gtest.h>

#include "base/file.h"
#include "scenarios.h"
#include "sim/perf_trace.h"

namespace punctual::sim {
namespace {

// One CPU: "a b" runs 1 ms, wakes c, waits behind x for 5 ms, runs 1 ms more and ends; c runs 2 ms.
constexpr const char* kTrace =
    "   a b   10/11 [000]    10.000000:  sched:sched_switch: prev_comm=x y prev_pid=9 prev_prio=120 prev_state=R ==> "
    "next_comm=a b next_pid=11 next_prio=120\n"
    "   a b   10/11 [000]    10.001000:  sched:sched_waking: comm=c pid=12 prio=115 target_cpu=000\n"
    "   a b   10/11 [000]    10.001000:  sched:sched_stat_runtime: comm=a b pid=11 runtime=1 [ns]\n"
    "   a b   10/11 [000]    10.001000:  sched:sched_switch: prev_comm=a b prev_pid=11 prev_prio=120 prev_state=R+ ==> "
    "next_comm=x y next_pid=9 next_prio=120\n"
    "   x y       9 [000]    10.006000:  sched:sched_switch: prev_comm=x y prev_pid=9 prev_prio=120 prev_state=S ==> "
    "next_comm=a b next_pid=11 next_prio=120\n"
    "   a b   10/11 [000]    10.007000:  sched:sched_switch: prev_comm=a b prev_pid=11 prev_prio=120 prev_state=X ==> "
    "next_comm=c next_pid=12 next_prio=115\n"
    "     c      12 [000]    10.009000:  sched:sched_switch: prev_comm=c prev_pid=12 prev_prio=115 prev_state=S ==> "
    "next_comm=swapper/0 next_pid=0 next_prio=120\n"
    "swapper      0 [000]    10.020000:  sched:sched_waking: comm=c pid=12 prio=115 target_cpu=000\n"
    "swapper      0 [000]    10.020000:  sched:sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R "
    "==> next_comm=c next_pid=12 next_prio=115\n"
    "     c      12 [000]    10.021000:  sched:sched_switch: prev_comm=c prev_pid=12 prev_prio=115 prev_state=D ==> "
    "next_comm=swapper/0 next_pid=0 next_prio=120\n";

Outcome run_trace(const PerfTrace& trace, u32 nr_cpus)
{
	Scenario scenario;
	scenario.audit = false;
	scenario.policy = PolicyKind::eevdf;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.duration_ns = 20 * trace.length_ns + kSecond;
	scenario.tasks = trace.load.tasks;
	scenario.nr_rows = static_cast<u32>(trace.load.rows.size());
	return simulate(scenario);
}

u64 work_of(const Outcome& outcome)
{
	u64 work_ns = 0;
	for (const TaskRecord& task : outcome.counted)
		work_ns += task.own_work_ns;
	return work_ns;
}

TEST(PerfTrace, KeepsDemandAndEdgesAndDropsWaits)
{
	const auto trace = parse_perf_trace(kTrace, "t");
	ASSERT_TRUE(trace) << trace.error().what;
	EXPECT_EQ(trace->length_ns, 21 * kMillisecond);
	EXPECT_EQ(trace->nr_edges, 1U);
	EXPECT_EQ(trace->nr_outside, 1U);
	EXPECT_EQ(trace->load.demand_ns, 10 * kMillisecond);
	EXPECT_EQ(trace->load.rows, (std::vector<std::string>{"x y", "a b", "c"}));
	const std::vector<ScriptStep>& waker = trace->load.tasks[1].script;
	ASSERT_GE(waker.size(), 3U);
	EXPECT_EQ(waker[waker.size() - 3], (ScriptStep{ScriptOp::run, 0, kNoObject, kMillisecond}));
	EXPECT_EQ(waker[waker.size() - 2].op, ScriptOp::post);
	EXPECT_EQ(waker.back(), (ScriptStep{ScriptOp::run, 0, kNoObject, kMillisecond}));  // the wait is no step
}

TEST(PerfTrace, AllDemandIsReplayedOnAnyNumberOfCpus)
{
	const auto trace = parse_perf_trace(kTrace, "t");
	ASSERT_TRUE(trace) << trace.error().what;
	for (u32 nr_cpus : {1, 2, 4}) {
		const Outcome outcome = run_trace(*trace, nr_cpus);
		EXPECT_EQ(outcome.nr_unfinished, 0U) << nr_cpus;
		EXPECT_EQ(work_of(outcome), trace->load.demand_ns) << nr_cpus;
		EXPECT_GE(outcome.ended_ns, 21 * kMillisecond);  // what comes from outside comes when it came
	}
}

// Of a machine of two CPUs that compiles: tests/sim/sched.trace is what perf 6.1 wrote.
TEST(PerfTrace, RecordingOfARealMachineIsConservedToAThousandth)
{
	const auto text = read_file(PUNCTUAL_SOURCE_DIR "/tests/sim/sched.trace");
	ASSERT_TRUE(text) << text.error().what;
	const auto trace = parse_perf_trace(*text, "sched.trace");
	ASSERT_TRUE(trace) << trace.error().what;
	EXPECT_GT(trace->nr_edges, 20U);
	for (u32 nr_cpus : {1, 2, 3}) {
		const Outcome outcome = run_trace(*trace, nr_cpus);
		EXPECT_EQ(outcome.nr_unfinished, 0U) << nr_cpus;
		EXPECT_NEAR(static_cast<double>(work_of(outcome)), static_cast<double>(trace->load.demand_ns),
			    0.001 * static_cast<double>(trace->load.demand_ns));
	}
}

// That a left CPU 0 is missing: it comes to light there when a has long run on CPU 1, and takes nothing from it.
TEST(PerfTrace, TaskThatWasSeenElsewhereKeepsItsTimeThere)
{
	const auto trace = parse_perf_trace(
	    "i 0 [000] 1.000000: sched:sched_switch: prev_comm=i prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=a "
	    "next_pid=1 next_prio=120\n"
	    "i 0 [001] 1.001000: sched:sched_switch: prev_comm=i prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=a "
	    "next_pid=1 next_prio=120\n"
	    "b 2 [000] 1.003000: sched:sched_switch: prev_comm=b prev_pid=2 prev_prio=120 prev_state=S ==> next_comm=i "
	    "next_pid=0 next_prio=120\n"
	    "a 1 [001] 1.007000: sched:sched_switch: prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=i "
	    "next_pid=0 next_prio=120\n",
	    "t");
	ASSERT_TRUE(trace) << trace.error().what;
	EXPECT_EQ(trace->nr_inconsistent, 1U);
	EXPECT_EQ(trace->load.demand_ns, 6 * kMillisecond);
}

TEST(PerfTrace, WrongTextIsRefusedWithItsLine)
{
	const std::string good(kTrace);
	for (const std::string& text : {std::string(), std::string("a line of something else\n"),
					good + "x [000] 9.000000: sched:sched_switch: prev_pid=1\n",
					good + "x 1 [0] 11.000000: sched:sched_switch: prev_comm=x prev_pid=1\n",
					good + "x 1 [4096] 11.000000: sched:sched_waking: comm=x pid=1 prio=1\n",
					good + "x [0] sched:sched_waking: pid=1\n"}) {
		const auto trace = parse_perf_trace(text, "t");
		ASSERT_FALSE(trace) << text;
		EXPECT_EQ(trace.error().code, ExitCode::usage);
		EXPECT_TRUE(trace.error().what.starts_with("t:")) << trace.error().what;
	}
}

}  // namespace
}  // namespace punctual::sim
