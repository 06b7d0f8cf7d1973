// SPDX-License-Identifier: GPL-2.0-only
// The loader up to the point where it would need a kernel: objects open, names that user space looks
// up exist in them, tunables are checked, mistakes are refused with a sentence.
#include <elf.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include "abi/exit.h"
#include "abi/sched.h"
#include "base/file.h"
#include "object/builtin.h"
#include "object/decision_ring.h"
#include "object/open.h"
#include "object/ops_fields.h"
#include "object/scheduler.h"
#include "object/variables.h"

namespace punctual {
namespace {

const std::string kObjects = PUNCTUAL_TEST_OBJECTS "/";

struct Opened {
	explicit Opened(std::string_view sched)
	    : object(open_object(sched).value()), variables(Variables::of(object.get()))
	{}
	bpf_map* map(const char* name) const { return bpf_object__find_map_by_name(object.get(), name); }
	ObjectPtr object;
	Variables variables;
};

// ---- what the user side looks up by name ----

TEST(BuiltinObject, EachOpensAndIsTheSchedulerOfItsName)
{
	ASSERT_EQ(builtin_schedulers().size(), 2U);
	for (const Builtin& builtin : builtin_schedulers()) {
		Opened opened(builtin.name);
		EXPECT_EQ(OpsFields::of(opened.object.get()).value().name(), builtin.name);
		EXPECT_FALSE(builtin.summary.empty());
	}
}

TEST(BuiltinObject, EachHasTheExitRecordThatTheLoaderReads)
{
	for (const Builtin& builtin : builtin_schedulers()) {
		Opened opened(builtin.name);
		const Variable* record = opened.variables.find_by_type("user_exit_info");
		ASSERT_TRUE(record) << builtin.name;
		EXPECT_EQ(record->bytes.size(), sizeof(user_exit_info));
		const Variable* length = opened.variables.find(record->name + "_dump_len");
		ASSERT_TRUE(length) << builtin.name;
		EXPECT_EQ(length->scalar_bytes, 4U);
		EXPECT_TRUE(length->is_constant);
		EXPECT_TRUE(opened.map((".data." + record->name + "_dump").c_str())) << builtin.name;
	}
}

TEST(BuiltinObject, EachHasTheCountersThatStatusReads)
{
	for (const Builtin& builtin : builtin_schedulers()) {
		bpf_map* stats = Opened(builtin.name).map("stats");
		ASSERT_TRUE(stats) << builtin.name;
	}
	Opened latency("scx_latency");
	EXPECT_EQ(bpf_map__type(latency.map("stats")), BPF_MAP_TYPE_PERCPU_ARRAY);
	EXPECT_EQ(bpf_map__value_size(latency.map("stats")), sizeof(sched_stats));
	EXPECT_EQ(bpf_map__value_size(latency.map("class_stats")), sizeof(class_stats));
	EXPECT_EQ(bpf_map__max_entries(latency.map("class_stats")), CLASSES_MAX);
	EXPECT_EQ(bpf_map__key_size(latency.map("budgets")), sizeof(u64));
	EXPECT_EQ(bpf_map__value_size(latency.map("budgets")), sizeof(budget));
}

TEST(BuiltinObject, LatencyRecordsDecisionsOnlyWhenAsked)
{
	Opened latency("scx_latency");
	bpf_map* ring = latency.map("decisions");
	ASSERT_TRUE(ring);
	EXPECT_EQ(bpf_map__type(ring), BPF_MAP_TYPE_RINGBUF);
	EXPECT_EQ(bpf_map__max_entries(ring), static_cast<uint32_t>(getpagesize()));
	EXPECT_EQ(latency.variables.find("record_decisions")->bytes[0], std::byte{0});
	ASSERT_TRUE(prepare_decisions(latency.object.get(), latency.variables));
	EXPECT_GT(bpf_map__max_entries(ring), 1U << 20);
	EXPECT_EQ(latency.variables.find("record_decisions")->bytes[0], std::byte{1});
}

TEST(BuiltinObject, SchedulerWithoutRecordedDecisionsSaysSo)
{
	Opened simple("scx_simple");
	const Status status = prepare_decisions(simple.object.get(), simple.variables);
	ASSERT_FALSE(status);
	EXPECT_EQ(status.error().code, ExitCode::usage);
	EXPECT_NE(status.error().what.find("--record-decisions"), std::string::npos);
}

TEST(BuiltinObject, LatencyKnowsTheMachineThroughTablesOfEveryCpu)
{
	Opened latency("scx_latency");
	for (auto [name, bytes] : {std::pair("cpus_in_scope", CPUS_MAX / 8), std::pair("llc_of_cpu", CPUS_MAX * 2)}) {
		const Variable* table = latency.variables.find(name);
		ASSERT_TRUE(table) << name;
		EXPECT_TRUE(table->is_constant) << name;
		EXPECT_EQ(table->bytes.size(), bytes) << name;
	}
	ASSERT_TRUE(latency.variables.find("nr_llcs"));
	EXPECT_EQ(latency.variables.find("nr_llcs")->scalar_bytes, 4U);
}

TEST(BuiltinObject, EveryTunableHasADefaultAndTimesAreWholeNanoseconds)
{
	for (const Builtin& builtin : builtin_schedulers()) {
		Opened opened(builtin.name);
		ASSERT_FALSE(opened.variables.tunables().empty()) << builtin.name;
		for (const Variable* tunable : opened.variables.tunables()) {
			u64 value = 0;
			std::memcpy(&value, tunable->bytes.data(), tunable->scalar_bytes);
			EXPECT_GT(value, 0U) << builtin.name << " " << tunable->name;
			if (tunable->name.ends_with("_ns")) {
				EXPECT_EQ(tunable->scalar_bytes, 8U) << tunable->name;
				EXPECT_FALSE(tunable->is_signed) << tunable->name;
			}
		}
	}
}

// ---- tunables ----

struct TunableTest : testing::Test {
	Opened latency{"scx_latency"};
	u64 slice_ns() const
	{
		u64 value = 0;
		std::memcpy(&value, latency.variables.find("slice_ns")->bytes.data(), sizeof(value));
		return value;
	}
	std::string refusal(const char* assignment) const
	{
		Status set = latency.variables.set_tunable(assignment);
		EXPECT_FALSE(set) << assignment;
		if (set)
			return "";
		EXPECT_EQ(set.error().code, ExitCode::usage) << assignment;
		return set.error().what;
	}
};

TEST_F(TunableTest, TimesAreDurationsOrNanoseconds)
{
	ASSERT_TRUE(latency.variables.set_tunable("slice_ns=250us"));
	EXPECT_EQ(slice_ns(), 250'000U);
	ASSERT_TRUE(latency.variables.set_tunable("slice_ns=1234"));
	// A bare number is in the unit of the name: seconds would be a surprise here.
	EXPECT_EQ(slice_ns(), 1234U);
}

TEST_F(TunableTest, UnknownNameIsAnsweredWithTheKnownOnes)
{
	std::string text = refusal("slices_ns=5");
	EXPECT_NE(text.find("slices_ns"), std::string::npos) << text;
	for (const Variable* tunable : latency.variables.tunables())
		EXPECT_NE(text.find(tunable->name), std::string::npos) << text;
	EXPECT_EQ(text.find("exit_record"), std::string::npos) << text;
}

TEST_F(TunableTest, WhatTheLoaderFillsCannotBeSet)
{
	for (const char* name : {"nr_llcs=9", "cpus_in_scope=1", "exit_record_dump_len=7", "budget_generation=2"})
		EXPECT_NE(refusal(name).find("no tunable"), std::string::npos) << name;
}

TEST_F(TunableTest, ValuesThatAreNoneAreRefusedAndChangeNothing)
{
	u64 before = slice_ns();
	for (const char* text : {"slice_ns=", "slice_ns=fast", "slice_ns=-1", "slice_ns=-5us", "slice_ns=5 parsecs",
				 "slice_ns=99999999999999999999", "slice_ns", "=5", ""})
		EXPECT_FALSE(refusal(text).empty()) << text;
	EXPECT_EQ(slice_ns(), before);
}

TEST(Tunable, MustFitItsType)
{
	Opened foreign(kObjects + "foreign_fifo.bpf.o");
	EXPECT_TRUE(foreign.variables.set_tunable("global_only=true"));
	EXPECT_TRUE(foreign.variables.set_tunable("global_only=0"));
	// A bool of 2 is neither true nor false to the compiler that built the object.
	EXPECT_FALSE(foreign.variables.set_tunable("global_only=2"));

	std::byte storage[2] = {};
	Variable small;
	small.bytes = storage;
	small.scalar_bytes = 2;
	small.is_signed = true;
	EXPECT_TRUE(store_scalar(small, -32768));
	EXPECT_FALSE(store_scalar(small, 32768));
	small.is_signed = false;
	EXPECT_TRUE(store_scalar(small, 65535));
	EXPECT_FALSE(store_scalar(small, 65536));
	EXPECT_FALSE(store_scalar(small, -1));
}

// ---- objects that are none ----

struct OpenTest : testing::Test {
	TempDir dir = TempDir::create("punctual-test-").value();
	std::string file(const char* name, std::string_view contents) const
	{
		EXPECT_TRUE(replace_file(dir.path() / name, contents));
		return dir.path() / name;
	}
	static std::string refusal(const std::string& sched)
	{
		Result<ObjectPtr> object = open_object(sched);
		EXPECT_FALSE(object) << sched;
		if (object)
			return "";
		EXPECT_EQ(object.error().code, ExitCode::usage) << object.error().what;
		EXPECT_NE(object.error().what.find(sched), std::string::npos) << object.error().what;
		EXPECT_EQ(object.error().what.find('\n'), std::string::npos) << object.error().what;
		return object.error().what;
	}
};

TEST_F(OpenTest, UnknownNameIsAnsweredWithTheKnownOnes)
{
	std::string text = refusal("scx_nothing");
	for (const Builtin& builtin : builtin_schedulers())
		EXPECT_NE(text.find(builtin.name), std::string::npos) << text;
}

TEST_F(OpenTest, FilesThatAreNoBpfObjectAreRefusedByWhatTheyAre)
{
	EXPECT_NE(refusal(file("text", "#!/bin/sh\n")).find("no ELF file"), std::string::npos);
	EXPECT_NE(refusal(file("empty", "")).find("no ELF file"), std::string::npos);
	EXPECT_NE(refusal(dir.path()).find("directory"), std::string::npos);
	EXPECT_NE(refusal("/proc/self/exe").find("another machine"), std::string::npos);
}

TEST_F(OpenTest, DamagedObjectsAreRefusedWhereverTheyAreCut)
{
	std::span<const std::byte> bytes = builtin_schedulers()[0].object;
	std::string_view whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
	for (size_t size : {size_t{64}, whole.size() / 4, whole.size() / 2, whole.size() - 1000})
		EXPECT_NE(refusal(file("cut", whole.substr(0, size))).find("damaged"), std::string::npos) << size;
}

// The object with another value for one of its symbols.
std::string with_symbol_value(std::string elf, std::string_view symbol, uint64_t value)
{
	auto at = [&elf]<typename T>(size_t offset, T*) {
		T read;
		std::memcpy(&read, elf.data() + offset, sizeof(read));
		return read;
	};
	const auto header = at(0, static_cast<Elf64_Ehdr*>(nullptr));
	auto section = [&](size_t index) {
		return at(header.e_shoff + index * sizeof(Elf64_Shdr), static_cast<Elf64_Shdr*>(nullptr));
	};
	for (size_t index = 0; index < header.e_shnum; index++) {
		const Elf64_Shdr table = section(index);
		if (table.sh_type != SHT_SYMTAB)
			continue;
		const size_t names = section(table.sh_link).sh_offset;
		for (size_t entry = table.sh_offset; entry < table.sh_offset + table.sh_size;
		     entry += sizeof(Elf64_Sym))
			if (elf.data() + names + at(entry, static_cast<Elf64_Sym*>(nullptr)).st_name == symbol)
				std::memcpy(elf.data() + entry + offsetof(Elf64_Sym, st_value), &value, sizeof(value));
	}
	return elf;
}

TEST_F(OpenTest, ObjectThatCrashesLibbpfIsRefused)
{
	const std::string elf = read_file(kObjects + "foreign_fifo.bpf.o").value();
	ASSERT_TRUE(open_object(file("sound", with_symbol_value(elf, "fifo_ops", 0))));
	// libbpf 1.4.6 reads the table of callbacks where the symbol says, without a look at the size of the section.
	EXPECT_NE(refusal(file("damaged", with_symbol_value(elf, "fifo_ops", ~0ULL))).find("damaged"),
		  std::string::npos);
}

TEST_F(OpenTest, ObjectWithoutASchedulerIsRefused)
{
	EXPECT_NE(refusal(kObjects + "no_scheduler.bpf.o").find("no sched_ext scheduler"), std::string::npos);
}

TEST_F(OpenTest, MistakesAreFoundOnAnyMachine)
{
	// Whoever runs this: without root and without sched_ext the name is wrong all the same.
	auto attached = Scheduler::attach("scx_nothing", {});
	ASSERT_FALSE(attached);
	EXPECT_EQ(attached.error().code, ExitCode::usage);
}

}  // namespace
}  // namespace punctual
