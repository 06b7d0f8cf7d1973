// SPDX-License-Identifier: GPL-2.0-only
// What the loader does to an object so that it fits one kernel: on kernels made by hand, and on the
// real ones that the lab keeps, if any.
#include "object/prepare.h"

#include <algorithm>

#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include "abi/types.h"
#include "base/cpu_list.h"
#include "lab/kernel_store.h"
#include "object/open.h"
#include "object/ops_fields.h"
#include "tests/unit/object_kernel.h"

namespace punctual {
namespace {

const std::string kObjects = PUNCTUAL_TEST_OBJECTS "/";

struct PrepareTest : testing::Test {
	FakeKernel kernel;
	ObjectPtr object;
	Variables variables;
	PrepareOptions options;

	PrepareTest() { kernel.ops({"name", "select_cpu", "enqueue", "exit", "exit_dump_len", "timeout_ms", "flags"}); }

	Result<Prepared> prepare_as(std::string_view sched, const KernelTypes& types)
	{
		object = open_object(sched).value();
		variables = Variables::of(object.get());
		return prepare(object.get(), variables, types, options);
	}
	Result<Prepared> prepare_as(std::string_view sched) { return prepare_as(sched, kernel.load().value()); }
	Result<Prepared> prepare_foreign() { return prepare_as(kObjects + "foreign_fifo.bpf.o"); }

	OpsFields ops() const { return OpsFields::of(object.get()).value(); }
	u64 value_of(const char* name) const
	{
		u64 value = 0;
		const Variable* variable = variables.find(name);
		EXPECT_TRUE(variable && variable->bytes.size() <= sizeof(value)) << name;
		if (variable)
			std::memcpy(&value, variable->bytes.data(), variable->bytes.size());
		return value;
	}
};

bool mentions(const std::vector<std::string>& notes, std::string_view what)
{
	return std::ranges::any_of(notes, [&](const std::string& note) { return note.contains(what); });
}

TEST_F(PrepareTest, ConstantsAreThoseOfTheKernel)
{
	kernel.constant("SCX_DSQ_LOCAL", 0x8000000000000002ULL).constant("SCX_SLICE_DFL", 20'000'000);
	ASSERT_TRUE(prepare_foreign());
	EXPECT_EQ(value_of("__SCX_DSQ_LOCAL"), 0x8000000000000002ULL);
	EXPECT_EQ(value_of("__SCX_SLICE_DFL"), 20'000'000U);
	// What a kernel does not know is 0, as with the object's own loader.
	EXPECT_EQ(value_of("__SCX_NO_SUCH_CONSTANT"), 0U);
}

TEST_F(PrepareTest, MembersThatTheKernelLacksAreLeftOutAndNamed)
{
	Prepared prepared = prepare_foreign().value();
	EXPECT_EQ(prepared.name, "foreign_fifo");
	EXPECT_EQ(ops().load<u64>("no_such_number"), 0U);
	EXPECT_EQ(ops().load<u64>("no_such_callback"), 0U);
	EXPECT_NE(ops().load<u64>("enqueue"), 0U);
	EXPECT_TRUE(mentions(prepared.notes, "ops.no_such_number"));
	EXPECT_TRUE(mentions(prepared.notes, "ops.no_such_callback"));
	// Its program would be refused too: there is nothing it could be attached to.
	EXPECT_FALSE(bpf_program__autoload(bpf_object__find_program_by_name(object.get(), "fifo_no_such_callback")));
	EXPECT_TRUE(bpf_program__autoload(bpf_object__find_program_by_name(object.get(), "fifo_enqueue")));
}

TEST_F(PrepareTest, DumpGetsTheRoomThatTheObjectAsksFor)
{
	ASSERT_TRUE(prepare_foreign());
	EXPECT_EQ(bpf_map__value_size(bpf_object__find_map_by_name(object.get(), ".data.uei_dump")), 65536U);
	EXPECT_EQ(value_of("uei_dump_len"), 65536U);
	ASSERT_TRUE(prepare_as("scx_simple"));
	EXPECT_EQ(value_of("exit_record_dump_len"), 32768U);
}

TEST_F(PrepareTest, UnknownFlagsAreRefusedOnlyWhenTheKernelSaysWhichItKnows)
{
	EXPECT_TRUE(prepare_as(kObjects + "unknown_flags.bpf.o"));
	kernel.constant("SCX_OPS_ALL_FLAGS", 0xff);
	auto refused = prepare_as(kObjects + "unknown_flags.bpf.o");
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::lacking);
	EXPECT_NE(refused.error().what.find("0x10000000000"), std::string::npos) << refused.error().what;
}

TEST_F(PrepareTest, FlagThatOnceMeantNothingIsDropped)
{
	constexpr u64 kHasCgroupWeight = 1 << 16, kKnown = 1 << 0;
	object = open_object(kObjects + "foreign_fifo.bpf.o").value();
	ops().store("flags", kHasCgroupWeight | kKnown);
	kernel.constant("SCX_OPS_ALL_FLAGS", 0xff);
	Prepared prepared = prepare(object.get(), Variables::of(object.get()), kernel.load().value(), options).value();
	EXPECT_EQ(ops().load<u64>("flags"), kKnown);
	EXPECT_TRUE(mentions(prepared.notes, "SCX_OPS_HAS_CGROUP_WEIGHT"));
}

TEST_F(PrepareTest, WatchdogStaysBelowTheKernelsLimit)
{
	options.timeout_ms = 2000;
	ASSERT_TRUE(prepare_foreign());
	EXPECT_EQ(ops().load<u32>("timeout_ms"), 2000U);
	options.timeout_ms = 30'001;
	EXPECT_EQ(prepare_foreign().error().code, ExitCode::usage);
}

TEST_F(PrepareTest, OnlyObjectsThatKnowAboutScopeCanBeLimitedToCpus)
{
	options.cpus = CpuList::parse("0").value();
	auto refused = prepare_foreign();
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::usage);
	EXPECT_NE(refused.error().what.find("--cpus"), std::string::npos) << refused.error().what;

	ASSERT_TRUE(prepare_as("scx_latency"));
	std::span<std::byte> scope = variables.find("cpus_in_scope")->bytes;
	EXPECT_EQ(scope[0], std::byte{1});
	EXPECT_TRUE(std::ranges::all_of(scope.subspan(1), [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_F(PrepareTest, PartialModeIsTheKernelsFlagBesideTheObjectsOwn)
{
	constexpr u64 kPartial = 1 << 3;
	options.only_named = true;
	auto refused = prepare_foreign();
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::lacking);  // a kernel without it would serve everything

	kernel.constant("SCX_OPS_SWITCH_PARTIAL", kPartial).constant("SCX_OPS_ALL_FLAGS", 0xff);
	options.cpus = CpuList::parse("0").value();  // the partition limits it, so the object need not know
	ASSERT_TRUE(prepare_foreign());
	EXPECT_EQ(ops().load<u64>("flags") & kPartial, kPartial);
	options.only_named = false;
	options.cpus = {};
	ASSERT_TRUE(prepare_foreign());
	EXPECT_EQ(ops().load<u64>("flags") & kPartial, 0U);
}

TEST_F(PrepareTest, CachesAreNumberedDensely)
{
	ASSERT_TRUE(prepare_as("scx_latency"));
	u64 nr_llcs = value_of("nr_llcs");
	const auto* llc_of_cpu = reinterpret_cast<const u16*>(variables.find("llc_of_cpu")->bytes.data());
	std::vector<bool> seen(nr_llcs);
	CpuList possible = CpuList::possible().value();
	for (int cpu : possible.cpus()) {
		ASSERT_LT(llc_of_cpu[cpu], nr_llcs);
		seen[llc_of_cpu[cpu]] = true;
	}
	EXPECT_TRUE(std::ranges::all_of(seen, [](bool used) { return used; }));
}

TEST_F(PrepareTest, TunablesAreSetAndUnsetOnesNoted)
{
	EXPECT_TRUE(mentions(prepare_foreign().value().notes, "global_only"));
	options.set = {"global_only=1"};
	EXPECT_FALSE(mentions(prepare_foreign().value().notes, "global_only"));
	EXPECT_EQ(value_of("global_only"), 1U);
	options.set = {"no_such=1"};
	EXPECT_EQ(prepare_foreign().error().code, ExitCode::usage);
}

TEST_F(PrepareTest, KernelWithBrokenFunctionsIsNamedBeforeTheVerifierIsAsked)
{
	kernel.function("scx_bpf_create_dsq", {"dsq_id", "node", "aux"});
	auto refused = prepare_as("scx_simple");
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::lacking);
	EXPECT_NE(refused.error().what.find("another kernel"), std::string::npos) << refused.error().what;
}

TEST_F(PrepareTest, RealKernelsHaveEveryMemberAndConstantThatOursUse)
{
	int tried = 0;
	auto cache = lab_cache();
	std::error_code ignored;
	if (cache)
		for (const auto& entry : std::filesystem::directory_iterator(*cache, ignored)) {
			std::string name = entry.path().filename();
			if (!name.starts_with("vmlinux-") || name.find_first_not_of("0123456789.", 8) != name.npos)
				continue;
			KernelTypes types = KernelTypes::load(entry.path()).value();
			EXPECT_FALSE(types.kfuncs_are_broken()) << name;
			for (const char* sched : {"scx_simple", "scx_latency"})
				EXPECT_EQ(prepare_as(sched, types).value().notes, std::vector<std::string>{}) << name;
			ASSERT_TRUE(prepare_as(kObjects + "foreign_fifo.bpf.o", types)) << name;
			EXPECT_EQ(value_of("__SCX_DSQ_LOCAL"), types.constant("SCX_DSQ_LOCAL")) << name;
			EXPECT_GT(value_of("__SCX_DSQ_LOCAL"), 1ULL << 63) << name;
			tried++;
		}
	if (tried == 0)
		GTEST_SKIP() << "no kernel in the lab's cache yet (punctual lab -- true fetches one)";
}

}  // namespace
}  // namespace punctual
