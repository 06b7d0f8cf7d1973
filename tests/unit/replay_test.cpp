// SPDX-License-Identifier: GPL-2.0-only
// Recordings of decisions: what is written is read, what differs is found, what is no recording is refused.
#include "sim/replay.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "object/decision_file.h"
#include "policy/decision.h"
#include "policy/floor.h"
#include "policy/resume.h"

namespace punctual::sim {
namespace {

std::span<const std::byte> bytes_of(const auto& record)
{
	return std::as_bytes(std::span(&record, 1));
}

decision_head head_of(decision_kind kind, size_t bytes)
{
	return {1'000, 3, kind, static_cast<u16>(bytes)};
}

// A packet function's task that wakes up beside a spinner.
place_record placed()
{
	place_record record = {};
	record.head = head_of(DECISION_PLACE, sizeof(record));
	record.facts.now_ns = 1'000'000;
	record.facts.budget_ns = 60'000;
	record.facts.running.kind = RUNNING_NORMAL;
	record.facts.woken = true;
	record.tunables = {18'000, 10'000, 4'000'000, 5'000, 50'000, 10'000};
	record.decision = place_task(&record.facts, &record.tunables);
	return record;
}

look_record looked(decision_kind kind)
{
	const place_record place = placed();
	look_record record = {};
	record.head = head_of(kind, sizeof(record));
	record.now_ns = place.facts.now_ns;
	record.about_ns = 1'060'001;
	record.running = place.facts.running;
	record.tunables = place.tunables;
	record.answer = look_again_ns(record.now_ns, record.about_ns, &record.running, &record.tunables);
	return record;
}

number_record resumed()
{
	const resume_facts facts = {1'000'000, 4'000'000, 100'000, true, true, false, {}};
	return {head_of(DECISION_RESUME, sizeof(number_record)),
		{facts.turn_ran_ns, facts.turn_ns, facts.turn_ns_min, 1, 1, 0},
		{resume_ns(&facts), 0}};
}

// A recording on disk, as the loader writes it.
class Recording {
 public:
	explicit Recording(uint64_t bytes_max = DecisionFile::kBytesMax)
	    : file_(DecisionFile::create(folder_.path() / "decisions", bytes_max).value())
	{}
	Recording& add(const auto& record)
	{
		file_.add(bytes_of(record));
		return *this;
	}
	std::string end(u64 nr_lost = 0)
	{
		EXPECT_TRUE(file_.end(nr_lost));
		return read_file(file_.path()).value();
	}

 private:
	TempDir folder_ = TempDir::create("replay").value();
	DecisionFile file_;
};

Result<ReplayReport> replay_text(std::string_view recording)
{
	return replay(std::as_bytes(std::span(recording)));
}

std::string refusal(std::string_view recording)
{
	const auto report = replay_text(recording);
	EXPECT_FALSE(report);
	return report ? "" : report.error().what;
}

bool has(std::string_view text, std::string_view words)
{
	return text.find(words) != std::string_view::npos;
}

TEST(Replay, SameDecisionsAgree)
{
	Recording recording;
	recording.add(placed()).add(looked(DECISION_LOOK_AGAIN)).add(resumed());
	const ReplayReport report = replay_text(recording.end()).value();
	EXPECT_EQ(report.nr_differing, 0U) << report.first_difference;
	EXPECT_EQ(report.nr_decisions(), 3U);
	EXPECT_EQ(report.nr_records[DECISION_PLACE], 1U);
	EXPECT_TRUE(report.is_complete());
	EXPECT_FALSE(report.kernel.empty());
}

TEST(Replay, AnotherPlacementIsFoundAndToldWithItsFacts)
{
	place_record other = placed();
	other.decision.place = PLACE_LOCAL_PREEMPT;
	const ReplayReport report = replay_text(Recording().add(placed()).add(other).end()).value();
	EXPECT_EQ(report.nr_differing, 1U);
	EXPECT_TRUE(report.first_difference.starts_with("decision 2 (place_task on CPU 3): local, preempt "));
	EXPECT_TRUE(has(report.first_difference,
			"latency queue (deadline_ns 1060000, key 1060001, preempt_at_ns 1042001) here"));
	EXPECT_TRUE(has(report.first_difference, "budget_ns 60000"));
}

TEST(Replay, EveryPartOfAPlacementCounts)
{
	for (u64 place_decision::* part :
	     {&place_decision::deadline_ns, &place_decision::key, &place_decision::preempt_at_ns}) {
		place_record other = placed();
		other.decision.*part += 1;
		EXPECT_EQ(replay_text(Recording().add(other).end()).value().nr_differing, 1U);
	}
}

TEST(Replay, EachLookIsAskedItsOwnQuestion)
{
	const place_record place = placed();
	look_record record = looked(DECISION_MAY_PREEMPT);
	record.answer = may_preempt(&record.running, record.now_ns, record.about_ns, &place.tunables);
	EXPECT_EQ(replay_text(Recording().add(record).end()).value().nr_differing, 0U);
	record.head.kind = DECISION_MAY_RUN_UNTIL;
	record.answer = may_run_until_ns(record.now_ns, record.about_ns, &record.running, &place.tunables);
	EXPECT_EQ(replay_text(Recording().add(record).end()).value().nr_differing, 0U);
	record.head.kind = DECISION_RETRY_LOOK;
	EXPECT_EQ(replay_text(Recording().add(record).end()).value().nr_differing, 1U);
	record.answer = retry_look_ns(record.now_ns, &record.running, record.about_ns, &place.tunables);
	EXPECT_EQ(replay_text(Recording().add(record).end()).value().nr_differing, 0U);
}

TEST(Replay, AnotherNumberIsFoundAndToldWithItsFacts)
{
	number_record other = resumed();
	other.answers[0]--;
	const ReplayReport report = replay_text(Recording().add(other).end()).value();
	EXPECT_EQ(report.nr_differing, 1U);
	EXPECT_TRUE(has(report.first_difference, "rest_ns 2999999 there, rest_ns 3000000 here"));
	EXPECT_TRUE(has(report.first_difference, "turn_ran_ns 1000000, turn_ns 4000000"));
}

TEST(Replay, EveryKindHasANameAndARecordOfItsSize)
{
	for (u32 kind = DECISION_END + 1; kind < DECISION_KINDS; kind++)
		EXPECT_FALSE(decision_name(kind).empty()) << kind;
}

TEST(Replay, LostAndLeftOutDecisionsAreToldAndMakeItIncomplete)
{
	EXPECT_EQ(replay_text(Recording().add(resumed()).end(7)).value().nr_lost, 7U);
	EXPECT_FALSE(replay_text(Recording().add(resumed()).end(7)).value().is_complete());
	Recording small(sizeof(place_record) + sizeof(number_record));
	const ReplayReport report = replay_text(small.add(placed()).add(placed()).add(resumed()).end()).value();
	EXPECT_EQ(report.nr_decisions(), 1U);
	EXPECT_EQ(report.nr_left_out, 2U);
	EXPECT_FALSE(report.is_complete());
}

TEST(Replay, LivesOfOneRunAddUp)
{
	Recording recording;
	recording.add(resumed()).end(1);
	const std::string whole = recording.add(resumed()).end(2);
	const ReplayReport report = replay_text(whole).value();
	EXPECT_EQ(report.nr_decisions(), 2U);
	EXPECT_EQ(report.nr_lost, 3U);
	EXPECT_FALSE(report.is_cut);
}

TEST(Replay, CutFileIsReadToItsLastWholeRecord)
{
	Recording recording;
	const std::string whole = recording.add(placed()).add(resumed()).end();
	size_t ends[] = {sizeof(decision_file_head), sizeof(place_record), sizeof(number_record), sizeof(decision_end)};
	for (size_t bytes = sizeof(decision_file_head); bytes < whole.size(); bytes++) {
		const ReplayReport report = replay_text(std::string_view(whole).substr(0, bytes)).value();
		const u64 expected = (bytes >= ends[0] + ends[1]) + (bytes >= ends[0] + ends[1] + ends[2]);
		ASSERT_EQ(report.nr_decisions(), expected) << bytes;
		ASSERT_TRUE(report.is_cut) << bytes;
	}
}

TEST(Replay, WhatIsNoRecordingIsRefused)
{
	EXPECT_TRUE(has(refusal(""), "not a recording"));
	EXPECT_TRUE(has(refusal(std::string(4096, 'x')), "--record-decisions"));
	std::string older = Recording().add(resumed()).end();
	older[offsetof(decision_file_head, version)] = 77;
	EXPECT_TRUE(has(refusal(older), "version 77"));
}

TEST(Replay, RecordThatNoSchedulerWritesIsRefusedWithItsPlace)
{
	number_record strange = resumed();
	strange.head.kind = DECISION_KINDS;
	EXPECT_TRUE(has(refusal(Recording().add(resumed()).add(strange).end()), "begins at byte 160 "));
	number_record timeless = resumed();
	timeless.head.kind = DECISION_CAP_AT;
	timeless.facts[4] = 0;  // a period
	EXPECT_TRUE(has(refusal(Recording().add(timeless).end()), "damaged"));
	place_record doubtful = placed();
	std::memset(&doubtful.facts.woken, 2, 1);
	EXPECT_TRUE(has(refusal(Recording().add(doubtful).end()), "damaged"));
	number_record small = resumed();
	small.head.bytes = 0;  // must not be read for ever
	EXPECT_TRUE(has(refusal(Recording().add(small).end()), "0 bytes"));
}

TEST(DecisionFile, PathThatCannotBeWrittenIsNamed)
{
	const auto file = DecisionFile::create("/proc/no/such");
	ASSERT_FALSE(file);
	EXPECT_TRUE(has(file.error().what, "/proc/no/such"));
}

TEST(DecisionFile, FullDiskIsTold)
{
	auto file = DecisionFile::create("/dev/full").value();
	file.add(bytes_of(resumed()));
	const Status ended = file.end(0);
	ASSERT_FALSE(ended);
	EXPECT_TRUE(has(ended.error().what, "/dev/full is cut off"));
}

}  // namespace
}  // namespace punctual::sim
