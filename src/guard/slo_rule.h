// SPDX-License-Identifier: GPL-2.0-only
// The operator's rules for a loaded scheduler: "p99(vnf.slice) > 100us for 10s then fallback". Pure: text and samples
// in, values out.
//
//   p50(C), p99(C), p99.9(C) > TIME   waits of the class of cgroup C, from runnable to running
//   miss(C) > PERCENT                 of those waits: longer than the budget
//   normal < PERCENT                  of the CPUs' time: left to tasks without a budget, idle time included
//   starved > COUNT                   tasks that waited for more than a second, in a sample
//
// Each may be followed by "for TIME" (so long without a break; else one sample is enough) and "then warn" (the default)
// or "then fallback". A sample that says nothing, because nobody of the class woke up, breaks no rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

enum class SloMetric { p50, p99, p999, miss, normal, starved };

struct SloRule {
	SloMetric metric = SloMetric::p99;
	std::string cgroup = {};  // as written; of quantiles and miss
	double limit = 0;         // nanoseconds, a share (1 % is 0.01), or a count
	int64_t for_ns = 0;
	bool falls_back = false;
	std::string text = {};  // as the operator wrote it
};

// Error (usage) names the position, counted from 1, and the choices.
Result<SloRule> parse_slo_rule(std::string_view text);

struct SloClass {
	std::string cgroup = {};  // as in the rules
	uint64_t nr_waits = 0;
	uint64_t p50_ns = 0, p99_ns = 0, p999_ns = 0;
	uint64_t nr_missed = 0;
};

// What was counted since the sample before.
struct SloSample {
	int64_t at_ns = 0;  // a clock that is never set
	std::vector<SloClass> classes = {};
	std::optional<double> normal_share = {};
	std::optional<uint64_t> nr_starved = {};
};

// nullopt: the sample does not say.
std::optional<double> slo_value(const SloRule& rule, const SloSample& sample);

struct SloChange {
	bool is_broken = false;  // else it is kept again
	bool falls_back = false;
	std::string words = {};
};

class SloWatch {
 public:
	explicit SloWatch(std::vector<SloRule> rules) : rules_(std::move(rules)), watched_(rules_.size()) {}

	// Each rule that is broken now and was not, and each that was broken and has been kept for ten seconds.
	std::vector<SloChange> step(const SloSample& sample);

	// The scheduler was loaded anew.
	void restart() { watched_.assign(rules_.size(), {}); }

	const std::vector<SloRule>& rules() const { return rules_; }

 private:
	struct Watched {
		std::optional<int64_t> bad_since_ns = {};
		std::optional<int64_t> good_since_ns = {};
		bool is_broken = false;
	};
	std::vector<SloRule> rules_;
	std::vector<Watched> watched_;
};

}  // namespace punctual
