// SPDX-License-Identifier: GPL-2.0-only
// What a profile makes of samples: names, parts of the scheduler, trees of stacks, and files for other programs.
#include "measure/profile.h"

#include <linux/perf_event.h>

#include <cstring>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/kernel_symbols.h"
#include "base/perf_sampler.h"
#include "export/stacks_text.h"

namespace punctual {
namespace {

constexpr const char* kProgram = "bpf_prog_8c3c8bd53b5d31c1_latency_enqueue";

using Names = std::vector<std::string_view>;

// Of the innermost frame.
SchedulerPart part_of(const Names& frames)
{
	return scheduler_parts(frames, {kProgram}).back();
}

void add(StackTree* tree, const Names& names, u64 weight)
{
	std::vector<StackFrame> frames;
	for (const std::string_view name : names)
		frames.push_back({name});
	tree->add(frames, weight);
}

TEST(SchedulerPart, WhoeverIsCalledFromAPartBelongsToIt)
{
	EXPECT_EQ(part_of({"do_syscall_64", "ksys_read", "memcpy"}), SchedulerPart::none);
	EXPECT_EQ(part_of({"pipe_read", "schedule", "__schedule", "pick_next_task_fair", "pick_eevdf"}),
		  SchedulerPart::kernel);
	EXPECT_EQ(part_of({"pipe_read", "schedule", "__schedule", "put_prev_task_scx", "dispatch_enqueue", "memcpy"}),
		  SchedulerPart::ext_core);
	EXPECT_EQ(part_of({"try_to_wake_up", "enqueue_task_scx", "bpf__sched_ext_ops_enqueue", kProgram,
			   "scx_bpf_dsq_insert_vtime", "ktime_get"}),
		  SchedulerPart::bpf);
}

TEST(SchedulerPart, NamesThatTheCompilerMadeAreTheSameFunctions)
{
	EXPECT_EQ(part_of({"try_to_wake_up.part.0", "_raw_spin_lock"}), SchedulerPart::kernel);
	EXPECT_EQ(part_of({"__schedule", "balance_one.isra.0"}), SchedulerPart::ext_core);
	EXPECT_EQ(part_of({"my__schedule"}), SchedulerPart::none);  // but not every name that looks like one
}

TEST(SchedulerPart, ProgramOfSomebodyElseIsNoPartOfIt)
{
	EXPECT_EQ(part_of({"__schedule", "__bpf_trace_sched_switch", "bpf_prog_0123456789abcdef_other"}),
		  SchedulerPart::kernel);
	EXPECT_EQ(part_of({"tcp_ack", "bpf_prog_0123456789abcdef_other"}), SchedulerPart::none);
}

TEST(SchedulerPart, InterruptMeanwhileIsNotTheScheduler)
{
	EXPECT_EQ(part_of({"__schedule", "finish_task_switch", "asm_common_interrupt", "net_rx_action"}),
		  SchedulerPart::none);
	EXPECT_EQ(part_of({"__schedule", "asm_common_interrupt", "nvme_irq", "try_to_wake_up", "ttwu_do_activate"}),
		  SchedulerPart::kernel);
}

TEST(Profile, EverySampleIsInExactlyOneWeight)
{
	Profile profile;
	auto sample = [&](const Names& frames, bool is_idle, u64 weight) {
		add_kernel_sample(&profile, frames, {kProgram}, is_idle, weight);
	};
	sample({"do_idle", "default_idle"}, true, 1);
	sample({"do_idle", "default_idle", "asm_sysvec_apic_timer_interrupt", "hrtimer_interrupt"}, true, 2);
	sample({"do_idle", "schedule_idle", "__schedule"}, true, 4);
	sample({"bpf_timer_cb", kProgram}, false, 8);
	sample({"__schedule", "scx_dsq_move"}, false, 16);
	sample({"__schedule", "enqueue_task_scx", kProgram}, false, 32);
	sample({}, false, 64);  // a stack that could not be walked
	EXPECT_EQ(profile.weights.idle, 1u);
	EXPECT_EQ(profile.weights.kernel_other, 2u + 64u);
	EXPECT_EQ(profile.weights.kernel_scheduler, 4u);
	EXPECT_EQ(profile.weights.ext_core, 16u);
	EXPECT_EQ(profile.weights.bpf, 8u + 32u);
	EXPECT_EQ(profile.weights.bpf_timers, 8u);
	EXPECT_EQ(profile.weights.all(), 127u);
	EXPECT_EQ(profile.stacks.total(), 126u);  // all but the idle one
}

TEST(Profile, StacksOfTheSchedulerBeginWhereItWasEntered)
{
	Profile profile;
	add_kernel_sample(&profile, Names{"sys_read", "__schedule", "pick_next_task"}, {}, false, 3);
	add_kernel_sample(&profile, Names{"sys_write", "asm_common_interrupt", "__schedule"}, {}, false, 4);
	add_kernel_sample(&profile, Names{"sys_write", "memcpy"}, {}, false, 5);
	ASSERT_EQ(profile.scheduler_stacks.root().children.size(), 1u);
	const StackNode& entry = profile.scheduler_stacks.node(profile.scheduler_stacks.root().children[0]);
	EXPECT_EQ(profile.scheduler_stacks.name(entry), "__schedule");
	EXPECT_EQ(entry.total, 7u);
	EXPECT_EQ(entry.part, SchedulerPart::kernel);
}

TEST(StackTree, SameStackIsOnePlaceWithAllItsWeight)
{
	StackTree tree;
	add(&tree, {"a", "b"}, 1);
	add(&tree, {"a", "b"}, 2);
	add(&tree, {"a"}, 4);
	add(&tree, {"b"}, 8);  // the same function elsewhere
	EXPECT_EQ(tree.size(), 1u + 3u);
	EXPECT_EQ(tree.total(), 15u);
	const StackNode& a = tree.node(tree.root().children[0]);
	EXPECT_EQ(a.total, 7u);
	EXPECT_EQ(a.self, 4u);
	const auto hot = hot_functions(tree, 1);
	ASSERT_EQ(hot.size(), 1u);
	EXPECT_EQ(hot[0].name, "b");
	EXPECT_EQ(hot[0].self, 11u);
}

TEST(StackTree, HasABoundAndLosesNoWeightThere)
{
	StackTree tree(3);
	add(&tree, {"a", "b", "c"}, 1);
	add(&tree, {"d"}, 2);
	EXPECT_EQ(tree.size(), 3u);
	EXPECT_EQ(tree.total(), 3u);
	EXPECT_EQ(tree.cut(), 3u);
	u64 self = 0;
	for (u32 i = 0; i < tree.size(); i++)
		self += tree.node(i).self;
	EXPECT_EQ(self, 3u);
}

TEST(KernelSymbols, AddressBelongsToTheFunctionThatBeginsBeforeIt)
{
	const auto symbols = KernelSymbols::parse(
	    "ffffffff81000200 T second\n"
	    "ffffffff81000000 T first\n"
	    "ffffffff81000000 t alias\n"
	    "ffffffff81000100 D data\n"
	    "not a line\n\n"
	    "ffffffffc0001000 t bpf_prog_8c3c8bd53b5d31c1_latency_enqueue\t[bpf]");
	ASSERT_TRUE(symbols) << symbols.error().what;
	EXPECT_EQ(symbols->name_at(0xffffffff81000000), "first");
	EXPECT_EQ(symbols->name_at(0xffffffff810001ff), "first");
	EXPECT_EQ(symbols->name_at(0xffffffff81000200), "second");
	EXPECT_EQ(symbols->name_at(0xffffffffc0001004), kProgram);
	EXPECT_EQ(symbols->name_at(0xffffffff80ffffff), "");
	EXPECT_EQ(symbols->name_at(0xfffffffff0000000), "");  // far behind the last one
	EXPECT_EQ(symbols->name_at(0), "");
}

TEST(KernelSymbols, HiddenAddressesAreSaidWithTheRemedy)
{
	const auto symbols = KernelSymbols::parse("0000000000000000 T first\n0000000000000000 T second\n");
	ASSERT_FALSE(symbols);
	EXPECT_EQ(symbols.error().code, ExitCode::lacking);
	EXPECT_NE(symbols.error().what.find("kptr_restrict"), std::string::npos);
	ASSERT_FALSE(KernelSymbols::parse(""));
}

// A sample as the kernel writes it.
std::vector<std::byte> record(u16 misc, std::vector<u64> addresses)
{
	std::vector<u64> words = {0, 7ULL | 8ULL << 32, 1000, 3, 250, addresses.size()};
	words.insert(words.end(), addresses.begin(), addresses.end());
	std::vector<std::byte> bytes(words.size() * sizeof(u64));
	const perf_event_header header = {PERF_RECORD_SAMPLE, misc, static_cast<u16>(bytes.size())};
	std::memcpy(words.data(), &header, sizeof(header));
	std::memcpy(bytes.data(), words.data(), bytes.size());
	return bytes;
}

TEST(PerfSampler, SampleIsReadAsTheKernelWritesIt)
{
	const auto kernel = PerfSampler::decode(
	    record(PERF_RECORD_MISC_KERNEL, {PERF_CONTEXT_KERNEL, 0xffffffff81000004, 0xffffffff81000100}));
	ASSERT_TRUE(kernel);
	EXPECT_EQ(kernel->pid, 7u);
	EXPECT_EQ(kernel->tid, 8u);
	EXPECT_EQ(kernel->time_ns, 1000u);
	EXPECT_EQ(kernel->cpu, 3u);
	EXPECT_EQ(kernel->weight, 250u);
	EXPECT_TRUE(kernel->is_kernel);
	EXPECT_EQ(kernel->addresses, (std::vector<uint64_t>{0xffffffff81000004, 0xffffffff81000100}));
	EXPECT_FALSE(PerfSampler::decode(record(PERF_RECORD_MISC_USER, {}))->is_kernel);
}

TEST(PerfSampler, RecordThatIsCutIsNoSample)
{
	const std::vector<std::byte> whole = record(PERF_RECORD_MISC_KERNEL, {1, 2});
	for (size_t bytes = 0; bytes < whole.size(); bytes++)
		EXPECT_FALSE(PerfSampler::decode(std::span(whole).first(bytes))) << bytes;
	EXPECT_TRUE(PerfSampler::decode(whole));
}

TEST(FoldedStacks, LineIsAStackFromTheOutermostAndItsWeight)
{
	StackTree tree;
	add(&tree, {"a", "b"}, 5);
	add(&tree, {"a"}, 2);
	add(&tree, {"a", "x;y z\n"}, 1);
	const std::string text = folded_stacks_text(tree);
	EXPECT_NE(text.find("a;b 5\n"), std::string::npos) << text;
	EXPECT_NE(text.find("a 2\n"), std::string::npos) << text;
	EXPECT_NE(text.find("a;x_x3by_x20z_x0a 1\n"), std::string::npos) << text;  // no name makes a line or a frame
	EXPECT_EQ(std::ranges::count(text, '\n'), 3);
}

TEST(Speedscope, WeightsAndStacksAreThoseOfTheTree)
{
	StackTree tree;
	add(&tree, {"a", "b"}, 5);
	add(&tree, {"a", "c"}, 2);
	add(&tree, {"\"}</script>\xff"}, 1);
	const auto json = nlohmann::json::parse(speedscope_json(tree, "one", StackUnit::nanoseconds));
	EXPECT_EQ(json["$schema"], "https://www.speedscope.app/file-format-schema.json");
	const auto& profile = json["profiles"][0];
	EXPECT_EQ(profile["type"], "sampled");
	EXPECT_EQ(profile["unit"], "nanoseconds");
	EXPECT_EQ(profile["endValue"], 8);
	std::map<std::string, u64> stacks;
	for (size_t i = 0; i < profile["samples"].size(); i++) {
		std::string stack;
		for (const auto& frame : profile["samples"][i])
			stack += json["shared"]["frames"].at(frame.get<size_t>())["name"].get<std::string>() + "/";
		stacks[stack] += profile["weights"][i].get<u64>();
	}
	EXPECT_EQ(stacks, (std::map<std::string, u64>{{"a/b/", 5}, {"a/c/", 2}, {"\"}</script>_xff/", 1}}));
}

}  // namespace
}  // namespace punctual
