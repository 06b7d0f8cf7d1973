// SPDX-License-Identifier: GPL-2.0-only
#include "runq/recording.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "base/file.h"
#include "runq/frame.h"
#include "runq/payload.h"
#include "runq/varint.h"
#include "tests/unit/simulated_waits.h"

namespace punctual {
namespace {

RecordingEnvironment environment()
{
	return {"host",
		"6.18.2",
		"a \x1b[31m model",
		2,
		"scx_latency",
		"punctual record -o f",
		"cgroup /vnf.slice",
		1'700'000,
		SimulatedMachine::kStartNs,
		SimulatedWaits::kWindowNs,
		1000};
}

WaitOutlier outlier(u64 end_ns, u64 wait_ns)
{
	return {
	    end_ns, wait_ns, WaitKind::preempted, 1, 42, "victim", 7, {{43, "hog", 1, wait_ns / 2}, {44, "", 7, 5}}};
}

std::span<const std::byte> bytes_of(const std::string& text)
{
	return std::as_bytes(std::span(text));
}

class WaitsRecording : public testing::Test {
 protected:
	TempDir directory_ = TempDir::create("waits-recording").value();
	std::filesystem::path path_ = directory_.path() / "file";

	// `nr_windows` windows, with what else there may be, and the end frame; returns the last totals.
	WaitSnapshot write(u32 nr_windows = 10)
	{
		SimulatedMachine machine(1);
		RecordingWriter writer = RecordingWriter::create(path_, environment()).value();
		EXPECT_TRUE(writer.append_scheduler({SimulatedMachine::kStartNs, {}}));
		WaitSnapshot last;
		for (u32 i = 0; i < nr_windows; i++) {
			last = machine.step();
			EXPECT_TRUE(writer.append_snapshot(last));
			EXPECT_TRUE(writer.append_outliers({{outlier(last.at_ns, 1000 + i)}}));
		}
		EXPECT_TRUE(writer.append_scheduler({last.at_ns, {"scx_simple", 3, 1}}));
		EXPECT_TRUE(writer.finish(last.at_ns));
		EXPECT_EQ(writer.bytes(), std::filesystem::file_size(path_));
		return last;
	}
	std::string contents() const { return read_file(path_).value(); }
};

TEST_F(WaitsRecording, AllWindowsTogetherAreTheLastSnapshot)
{
	const WaitSnapshot last = write(30);
	const Recording recording = read_recording(path_).value();
	EXPECT_EQ(recording.environment, environment());
	EXPECT_EQ(recording.nr_windows, 30u);
	EXPECT_TRUE(recording.total == last);
	EXPECT_FALSE(recording.was_cut);
	EXPECT_EQ(recording.damage, "");
}

TEST_F(WaitsRecording, EachWindowIsWhatHappenedInIt)
{
	write(30);
	SimulatedMachine machine(1);
	WaitSnapshot before;
	before.at_ns = SimulatedMachine::kStartNs;
	u64 nr_windows = 0;
	ASSERT_TRUE(read_recording(path_, [&](u64 begin_ns, const WaitSnapshot& window) {
		const WaitSnapshot after = machine.step();
		const WaitSnapshot expected = waits_between(before, after);
		EXPECT_EQ(begin_ns, before.at_ns);
		EXPECT_EQ(window.at_ns, after.at_ns);
		EXPECT_EQ(window.all().buckets, expected.all().buckets);
		EXPECT_EQ(window.all().sum_ns, expected.all().sum_ns);
		EXPECT_GE(window.all().max_ns, window.all().quantile_ns(1.0));
		EXPECT_LE(window.all().max_ns, after.all().max_ns);
		EXPECT_TRUE(window.losses == expected.losses);
		EXPECT_TRUE(window.open == after.open);
		EXPECT_EQ(window.cpus.size(), nr_windows ? 1u : 2u)
		    << "only one CPU had waits; the first window names all";
		before = after;
		nr_windows++;
	}));
	EXPECT_EQ(nr_windows, 30u);
}

TEST_F(WaitsRecording, OutliersAndSchedulerChangesComeBackAsTheyWere)
{
	const WaitSnapshot last = write(2);
	const Recording recording = read_recording(path_).value();
	ASSERT_EQ(recording.outliers.size(), 2u);
	EXPECT_TRUE(recording.outliers[1] == outlier(last.at_ns, 1001));
	ASSERT_EQ(recording.changes.size(), 2u);
	EXPECT_EQ(recording.changes[0].state.name, "EEVDF");
	EXPECT_TRUE((recording.changes[1] == SchedulerChange{last.at_ns, {"scx_simple", 3, 1}}));
}

TEST_F(WaitsRecording, RemovedCgroupKeepsItsName)
{
	RecordingWriter writer = RecordingWriter::create(path_, environment()).value();
	WaitSnapshot snapshot;
	snapshot.cgroups = {{9, "/gone", false, {}, {}}};
	snapshot.cgroups[0].waits.record(100);
	ASSERT_TRUE(writer.append_snapshot(snapshot));
	snapshot.cgroups[0].removed = true;
	ASSERT_TRUE(writer.append_snapshot(snapshot));
	const Recording recording = read_recording(path_).value();
	EXPECT_TRUE(recording.total.cgroups == snapshot.cgroups);
	EXPECT_EQ(recording.total.cgroup(9)->path, "/gone");
}

TEST_F(WaitsRecording, CgroupThatGaveUpItsRowIsCountedOnce)
{
	RecordingWriter writer = RecordingWriter::create(path_, environment()).value();
	WaitSnapshot snapshot;
	snapshot.cgroups = {{7, "/gone", true, {}, {}}};
	snapshot.cgroups[0].waits.record(100, 10);
	ASSERT_TRUE(writer.append_snapshot(snapshot));
	snapshot.cgroups[0].id = 0;
	snapshot.cgroups[0].waits.record(100, 3);
	ASSERT_TRUE(writer.append_snapshot(snapshot));
	const WaitSnapshot total = read_recording(path_).value().total;
	EXPECT_EQ(total.cgroup(7)->waits.count(), 10u);
	EXPECT_EQ(total.cgroup(0)->waits.count(), 3u);
}

TEST_F(WaitsRecording, MoreCgroupsThanAReaderTakesAreAmongTheOthers)
{
	RecordingWriter writer = RecordingWriter::create(path_, environment()).value();
	for (u64 id = 1; id <= 20'000; id += 1'000) {
		WaitSnapshot snapshot;
		for (u64 i = 0; i < 1'000; i++) {
			snapshot.cgroups.push_back({id + i, "", false, {}, {}});
			snapshot.cgroups.back().waits.record(100);
		}
		// Those of the last window gave up their rows.
		snapshot.cgroups.push_back({0, "(other)", false, {}, {}});
		snapshot.cgroups.back().waits.record(100, id - 1);
		ASSERT_TRUE(writer.append_snapshot(snapshot));
	}
	const Recording recording = read_recording(path_).value();
	EXPECT_EQ(recording.damage, "");
	u64 nr = 0;
	for (const CgroupWaits& row : recording.total.cgroups)
		nr += row.waits.count();
	EXPECT_EQ(nr, 20'000u);
}

TEST_F(WaitsRecording, CutAnywhereItIsReadToTheLastWholeFrame)
{
	write(4);
	const std::string whole = contents();
	const Recording all = parse_recording(bytes_of(whole)).value();
	u64 nr_before = 0;
	for (size_t size = 0; size < whole.size(); size++) {
		const auto cut = parse_recording(bytes_of(whole).first(size));
		if (!cut) {
			EXPECT_EQ(nr_before, 0u);
			EXPECT_EQ(cut.error().code, ExitCode::usage);
			continue;
		}
		EXPECT_TRUE(cut->was_cut);
		EXPECT_GE(cut->nr_windows, nr_before);
		EXPECT_LE(cut->total.all().count(), all.total.all().count());
		nr_before = cut->nr_windows;
	}
	EXPECT_EQ(nr_before, all.nr_windows);
}

TEST_F(WaitsRecording, DamagedFrameEndsItAndIsSaid)
{
	write(8);
	const std::string whole = contents();
	for (size_t at = 12; at < whole.size(); at += 3) {
		std::string damaged = whole;
		damaged[at] = static_cast<char>(damaged[at] ^ 4);
		const auto recording = parse_recording(bytes_of(damaged));
		if (!recording)  // it was in the environment
			continue;
		EXPECT_TRUE(recording->was_cut) << at;
		EXPECT_NE(recording->damage, "") << at;
	}
}

TEST_F(WaitsRecording, FullDiskIsAnErrorAndKeepsWholeFrames)
{
	RecordingWriter writer = RecordingWriter::create(path_, environment()).value();
	SimulatedMachine machine(1);
	ASSERT_TRUE(writer.append_snapshot(machine.step()));
	rlimit before{};
	getrlimit(RLIMIT_FSIZE, &before);
	const auto handler = signal(SIGXFSZ, SIG_IGN);
	const rlimit full{writer.bytes() + 20, before.rlim_max};  // room for a part of a frame
	setrlimit(RLIMIT_FSIZE, &full);
	const Status first = writer.append_snapshot(machine.step());
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, handler);
	ASSERT_FALSE(first);
	EXPECT_NE(first.error().what.find(path_.native()), std::string::npos);
	EXPECT_NE(first.error().what.find("free space"), std::string::npos) << first.error().what;
	EXPECT_FALSE(writer.append_snapshot(machine.step())) << "nothing may follow a hole";
	EXPECT_EQ(std::filesystem::file_size(path_), writer.bytes());
	const Recording recording = read_recording(path_).value();
	EXPECT_EQ(recording.nr_windows, 1u);
	EXPECT_TRUE(recording.was_cut);
	EXPECT_EQ(recording.damage, "");
}

TEST_F(WaitsRecording, ExistingFileIsOnlyReplacedByForce)
{
	write(3);
	const auto refused = RecordingWriter::create(path_, environment());
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::usage);
	EXPECT_NE(refused.error().what.find("--force"), std::string::npos);
	EXPECT_EQ(read_recording(path_)->nr_windows, 3u);
	ASSERT_TRUE(RecordingWriter::create(path_, environment(), true));
	EXPECT_EQ(read_recording(path_)->nr_windows, 0u);
}

TEST_F(WaitsRecording, OtherFilesAreRefusedWithTheReason)
{
	EXPECT_EQ(parse_recording({}).error().code, ExitCode::usage);
	EXPECT_EQ(parse_recording(bytes_of("#!/bin/sh")).error().code, ExitCode::usage);
	std::string other = recording_header();
	other[8] = 2;
	EXPECT_NE(parse_recording(bytes_of(other)).error().what.find("version 2"), std::string::npos);
	const auto missing = read_recording(path_);
	EXPECT_EQ(missing.error().code, ExitCode::usage);
	EXPECT_NE(missing.error().what.find(path_.native()), std::string::npos);
}

// A sound checksum says nothing about who wrote it.
TEST_F(WaitsRecording, ImpossibleCountsEndIt)
{
	auto read_window = [](u64 index, u64 count) {
		std::string payload = {static_cast<char>(FrameKind::window), 0, 1, 0, 1};  // one CPU, one kind
		for (u64 number : {u64{1}, index, count, u64{0}, u64{0}})
			put_number(payload, number);
		payload.append(14, '\0');  // no cgroups, no culprits, nothing lost, nothing open
		const std::string file =
		    recording_header() + *encode_frame(environment_payload(environment())) + *encode_frame(payload);
		return parse_recording(bytes_of(file)).value();
	};
	EXPECT_EQ(read_window(LOGLIN_RUNQ_BUCKETS - 1, 1).nr_windows, 1u);
	for (auto [index, count] : {std::pair<u64, u64>{LOGLIN_RUNQ_BUCKETS, 1}, {0, ~0ULL}, {~0ULL, 1}}) {
		const Recording recording = read_window(index, count);
		EXPECT_NE(recording.damage.find("no sense"), std::string::npos);
		EXPECT_EQ(recording.nr_windows, 0u);
	}
}

TEST_F(WaitsRecording, UnknownKindOfFrameIsPassedOver)
{
	const std::string file = recording_header() + *encode_frame(environment_payload(environment())) +
				 *encode_frame("\x7fwhat a later version adds") + *encode_frame(end_payload(1));
	EXPECT_FALSE(parse_recording(bytes_of(file))->was_cut);
}

TEST_F(WaitsRecording, IsCompact)
{
	SimulatedMachine machine(1, 8);
	RecordingWriter writer = RecordingWriter::create(path_, environment()).value();
	ASSERT_TRUE(writer.append_snapshot(machine.step()));
	const u64 first = writer.bytes();
	for (u32 i = 0; i < 100; i++)
		ASSERT_TRUE(writer.append_snapshot(machine.step()));
	EXPECT_LT((writer.bytes() - first) / 100, 1500u) << "400 waits in about 200 buckets, by CPU and by cgroup";
}

TEST(Varint, NumbersComeBackAndNonsenseFails)
{
	std::string bytes;
	for (u64 number : {u64{0}, u64{127}, u64{128}, u64{1} << 35, ~0ULL})
		put_number(bytes, number);
	PayloadReader in(bytes);
	for (u64 number : {u64{0}, u64{127}, u64{128}, u64{1} << 35, ~0ULL})
		EXPECT_EQ(in.number(), number);
	EXPECT_TRUE(in.is_done());
	for (const std::string& bad : {std::string(), std::string("\x80"), std::string(10, '\xff')}) {
		PayloadReader broken(bad);
		EXPECT_EQ(broken.number(), 0u);
		EXPECT_TRUE(broken.failed());
	}
}

}  // namespace
}  // namespace punctual
