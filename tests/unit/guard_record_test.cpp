// SPDX-License-Identifier: GPL-2.0-only
// What the guard writes down and what it reads: its state, the hook's words, an exit in words.
#include "guard/guard_record.h"

#include <gtest/gtest.h>

#include "guard/exit_class.h"
#include "guard/hook_words.h"

namespace punctual {
namespace {

GuardState held_state()
{
	GuardState state;
	state.phase = GuardPhase::held;
	state.held_by = HeldBy::breaker;
	state.reason = "a \"quoted\" reason";
	state.faults_ns = {1, 2, 3};
	state.hotplugs_ns = {4};
	state.wait_until_ns = 5;
	state.nr_faults_in_row = 3;
	state.random = 0xffff'ffff'ffff'ffff;
	state.nr_loads = 7;
	state.ops = "latency";
	state.boot_id = "b";
	state.nr_exits[static_cast<size_t>(ExitClass::stall)] = 3;
	return state;
}

TEST(GuardRecord, StateSurvivesTheFile)
{
	const auto read = guard_state_from_json(guard_state_to_json(held_state()));
	ASSERT_TRUE(read) << read.error().what;
	EXPECT_EQ(*read, held_state());
}

TEST(GuardRecord, DamageIsRefused)
{
	const std::string whole = guard_state_to_json(held_state());
	for (size_t cut : {0UL, 1UL, whole.size() / 2, whole.size() - 3})
		EXPECT_FALSE(guard_state_from_json(whole.substr(0, cut))) << cut;
	const auto with = [&](std::string_view from, std::string_view to) {
		std::string text = whole;
		return text.replace(text.find(from), from.size(), to);
	};
	EXPECT_FALSE(guard_state_from_json(with("\"version\": 1", "\"version\": 2")));
	EXPECT_FALSE(guard_state_from_json(with("guard_state", "rollout_state")));
	EXPECT_FALSE(guard_state_from_json(with("\"held\"", "\"running\"")));  // held by the breaker, and not held
	EXPECT_FALSE(guard_state_from_json(with("\"held\"", "\"sleeping\"")));
	EXPECT_FALSE(guard_state_from_json(with("\"wait_until_ns\": 5", "\"wait_until_ns\": -5")));
}

TEST(GuardRecord, MetricsSayWhatIsLoadedAndWhatEnded)
{
	const std::string text = guard_metrics(held_state(), "");
	EXPECT_NE(text.find("punctual_scheduler_enabled 0\n"), std::string::npos);
	EXPECT_NE(text.find("punctual_scheduler_exits_total{reason=\"stall\"} 3\n"), std::string::npos);
	EXPECT_NE(text.find("punctual_guard_held 1\n"), std::string::npos);
	EXPECT_EQ(text.find("punctual_scheduler_info"), std::string::npos);
	EXPECT_NE(guard_metrics({}, "scx_latency\"}\n").find("{ops=\"scx_latency\"} 1\n"), std::string::npos);
}

TEST(GuardRecord, StateOfAnEarlierVersionIsRead)
{
	std::string text = guard_state_to_json(held_state());
	for (const std::string_view line : {"\t\"ops\": \"latency\",\n", "\t\"boot_id\": \"b\",\n"})
		text.erase(text.find(line), line.size());
	const auto read = guard_state_from_json(text);
	ASSERT_TRUE(read) << read.error().what;
	EXPECT_EQ(read->ops + read->boot_id, "");
}

TEST(GuardRecord, StatusSaysWhyAndWhichConfigurationHolds)
{
	const GuardConfig config{.scheduler = "scx_latency", .slo = {"starved > 0"}};
	const std::string text = guard_status_json(held_state(), config, {"/etc/punctual", "a.toml:1: no"}, 0);
	for (const char* part : {R"("phase":"held")", R"("held_by":"breaker")", R"("reason":"a \"quoted\" reason")",
				 R"("config_error":"a.toml:1: no")", R"("loads_in_ns":null)", R"("faults":3)"})
		EXPECT_NE(text.find(part), std::string::npos) << part << text;
	GuardState resting;
	resting.wait_until_ns = 5;
	EXPECT_NE(guard_status_json(resting, config, {}, 3).find(R"("loads_in_ns":2)"), std::string::npos);
}

TEST(HookWords, AreSplitWithoutAShell)
{
	using Words = std::vector<std::string>;
	EXPECT_EQ(split_hook("systemctl  restart flash.slice").value_or(Words{}),
		  (Words{"systemctl", "restart", "flash.slice"}));
	EXPECT_EQ(split_hook(R"(a 'b "c' "d \" 'e" \ f '' g""h)").value_or(Words{}),
		  (Words{"a", "b \"c", "d \" 'e", " f", "", "gh"}));
	EXPECT_EQ(split_hook("a $HOME `b` *;c").value_or(Words{}), (Words{"a", "$HOME", "`b`", "*;c"}));
	for (const char* wrong : {"", "  ", "a 'b", "a \"b\\\"", "a \\"})
		EXPECT_FALSE(split_hook(wrong)) << wrong;
	EXPECT_NE(split_hook("a 'b").error().what.find("position 3"), std::string::npos);
}

TEST(Webhook, UrlIsHttpAndHasAHost)
{
	for (const char* right : {"http://a", "https://a.b:80/c?d=[e]", "http://[::1]:9/x"})
		EXPECT_TRUE(check_webhook(right)) << right;
	for (const char* wrong : {"", "http://", "http:///a", "ftp://a", "-o/etc/passwd", "http://a b", "http://a\nb",
				  "http://a\"b", "file:///etc/shadow"})
		EXPECT_FALSE(check_webhook(wrong)) << wrong;
}

TEST(ExitClass, KindsAreClassified)
{
	constexpr int64_t kRestart = (1LL << 48) | (1LL << 32);
	EXPECT_EQ(classify_exit({.kind = 64}), ExitClass::asked_for);
	EXPECT_EQ(classify_exit({.kind = 66, .code = kRestart}), ExitClass::hotplug);
	EXPECT_EQ(classify_exit({.kind = 66}), ExitClass::kernel);
	EXPECT_EQ(classify_exit({.kind = 65}), ExitClass::kernel);
	EXPECT_EQ(classify_exit({.kind = 67}), ExitClass::sysrq);
	EXPECT_EQ(classify_exit({.kind = 1024}), ExitClass::error);
	EXPECT_EQ(classify_exit({.kind = 1025, .code = kRestart}), ExitClass::error);
	EXPECT_EQ(classify_exit({.kind = 1026}), ExitClass::stall);
	EXPECT_EQ(classify_exit({.kind = 99999}), ExitClass::error);
}

TEST(ExitClass, WithoutARecordTheLogDecides)
{
	EXPECT_EQ(classify_exit({.reason = "disabled by sysrq-S"}), ExitClass::sysrq);
	EXPECT_EQ(classify_exit({.reason = "runnable task stall"}), ExitClass::stall);
	EXPECT_EQ(classify_exit({.reason = "unregistered from user space"}), ExitClass::asked_for);
	EXPECT_EQ(classify_exit({.reason = "what nobody knows"}), ExitClass::kernel);
}

TEST(ExitCause, StallNamesTheTaskAndWhoHeldItsCpu)
{
	SchedulerExit exit{
	    .kind = 1026, .reason = "runnable task stall", .message = "my [x] task[143] failed to run for 5.052s"};
	EXPECT_EQ(exit_cause(exit), "a task waited 5.052 s for a CPU: my [x] task (pid 143)");
	exit.dump =
	    "CPU 2   : nr_run=1 flags=0x1\n"
	    "          curr=other[9] class=rt_sched_class\n"
	    "  R other[10] -1ms\n"
	    "CPU 3   : nr_run=2 flags=0x1 cpu_rel=0 ops_qseq=7\n"
	    "          curr=hog[120] class=rt_sched_class\n"
	    "\n"
	    "  R my [x] task[143] -5052ms\n";
	EXPECT_EQ(exit_cause(exit),
		  "a task waited 5.052 s for a CPU: my [x] task (pid 143); CPU 3 was held by hog "
		  "(pid 120), a real-time task");
	exit.dump = "CPU 3   : nr_run=2\n curr=hog[120] class=ext_sched_class\n  R my [x] task[143] -5052ms\n";
	EXPECT_EQ(exit_cause(exit), "a task waited 5.052 s for a CPU: my [x] task (pid 143)");
}

TEST(ExitCause, AnyOtherIsInTheKernelsWords)
{
	EXPECT_EQ(exit_cause({.kind = 1025, .reason = "scx_bpf_error", .message = "fault after 50 enqueues"}),
		  "scx_bpf_error: fault after 50 enqueues");
	EXPECT_EQ(exit_cause({.kind = 67, .reason = "disabled by sysrq-S"}), "disabled by sysrq-S");
	EXPECT_EQ(exit_cause({}), "the kernel gave no reason");
	EXPECT_EQ(exit_cause({.kind = 1026, .reason = "runnable task stall", .message = "x failed to run for 5s"}),
		  "runnable task stall: x failed to run for 5s");
}

}  // namespace
}  // namespace punctual
