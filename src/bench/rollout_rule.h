// SPDX-License-Identifier: GPL-2.0-only
// The rule by which a roll-out keeps a scheduler: "p99 <= 0.5x and background >= 0.95x". Pure: text in, values out, and
// a judgement of runs in pairs. A run is the sample, never the packet.
//
// Each condition is a question of its own to the pairs: all of them have to hold at 5 %, so the chance to keep what
// does not keep the rule is below 5 % however many there are (intersection-union test). That one fails is claimed with
// Holm's correction. Neither of the two is unclear, and nothing unclear is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/side_counts.h"
#include "measure/paired.h"

namespace punctual {

// What one run found: the bench's own packets, or the run-queue waits of the operator's cgroups.
struct RolloutRun {
	uint64_t p50_ns = 0, p99_ns = 0, p999_ns = 0, max_ns = 0;
	uint64_t nr = 0;          // packets served, or waits
	uint64_t offered = 0;     // packets; 0 where waits are counted
	uint64_t dropped = 0;     // of those
	uint64_t background = 0;  // work of the background side, or its CPU time in ns; 0: nobody counts it
	uint64_t window_ns = 0;
	uint64_t front_cpu_ns = 0;              // of the latency side
	uint64_t background_cpu_ns = 0;         // of the other one
	uint64_t switches = 0;                  // of both
	std::optional<SideCounts> counts = {};  // where they were asked for

	bool operator==(const RolloutRun&) const = default;
};

// Neighbours in time, one under each.
struct RolloutPair {
	RolloutRun eevdf;
	RolloutRun scheduler;

	bool operator==(const RolloutPair&) const = default;
};

enum class RolloutMetric { p50, p99, p999, max, background, drop };
std::string_view metric_name(RolloutMetric metric);

struct KeepCondition {
	RolloutMetric metric = RolloutMetric::p99;
	bool at_most = true;    // else at least
	bool is_ratio = true;   // to EEVDF; else `limit` is nanoseconds, or of drop a share of the packets
	double limit = 1;       // above 0, of drop also 0
	std::string text = {};  // as the operator wrote it
};
using KeepRule = std::vector<KeepCondition>;

inline constexpr std::string_view kDefaultKeepRule = "p99 <= 0.5x and background >= 0.95x";

// METRIC <=|>= LIMIT [and ...]. LIMIT: 0.5x, 60us, of drop 0.1%. Error (usage) names the position, counted from 1, and
// the choices.
Result<KeepRule> parse_keep_rule(std::string_view text);

enum class RuleVerdict { holds, fails, unclear };
std::string_view verdict_name(RuleVerdict verdict);

struct ConditionJudgement {
	std::string text = {};  // of the condition
	RuleVerdict verdict = RuleVerdict::unclear;
	std::optional<PairedChange> change = {};  // the scheduler over EEVDF
	std::string reason = {};                  // a clause, without a full stop
};

// One a condition, in order. Where packets can be dropped and the rule does not speak of it, there is one more at the
// end: quantiles are of packets that were served, so whoever drops more than EEVDF has not shown that it is faster.
std::vector<ConditionJudgement> judge_rule(const KeepRule& rule, std::span<const RolloutPair> pairs);

// fails when one fails, holds when all do.
RuleVerdict verdict_of(std::span<const ConditionJudgement> judgements);

}  // namespace punctual
