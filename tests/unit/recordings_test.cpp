// SPDX-License-Identifier: GPL-2.0-only
// Decisions of real kernels, tests/recordings/*.decisions: the policy still decides so. A change of the policy that is
// meant changes some of them: then look at the difference that is printed, and record anew (docs/testing.md).
#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "sim/replay.h"

namespace punctual::sim {
namespace {

TEST(Recordings, EachWasDecidedAsThePolicyDecidesHere)
{
	int nr_recordings = 0;
	for (const auto& entry : std::filesystem::directory_iterator(PUNCTUAL_SOURCE_DIR "/tests/recordings")) {
		if (entry.path().extension() != ".decisions")
			continue;
		nr_recordings++;
		const std::string bytes = read_file(entry.path()).value();
		const auto report = replay(std::as_bytes(std::span(bytes)));
		ASSERT_TRUE(report) << entry.path() << ": " << report.error().what;
		EXPECT_EQ(report->nr_differing, 0U) << entry.path() << ": " << report->first_difference;
		EXPECT_TRUE(report->is_complete()) << entry.path();
	}
	EXPECT_GT(nr_recordings, 0);
}

TEST(Recordings, MixedLoadHasDecisionsOfEveryKind)
{
	const std::string bytes = read_file(PUNCTUAL_SOURCE_DIR "/tests/recordings/mixed-load.decisions").value();
	const ReplayReport report = replay(std::as_bytes(std::span(bytes))).value();
	for (u32 kind = DECISION_END + 1; kind < DECISION_KINDS; kind++)
		EXPECT_GE(report.nr_records[kind], 10U) << decision_name(kind);
}

}  // namespace
}  // namespace punctual::sim
