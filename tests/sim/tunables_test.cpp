// SPDX-License-Identifier: GPL-2.0-only
// The simulator begins with the tunables of the BPF scheduler: its source is read and compared.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "sim/scenario.h"

namespace punctual::sim {
namespace {

std::map<std::string, u64> tunables_of_source()
{
	std::ifstream file(PUNCTUAL_SOURCE_DIR "/bpf/latency_state.bpf.h");
	std::regex declaration(R"(const volatile u(?:32|64) (\w+) = ([0-9 *]+);.*)");
	std::map<std::string, u64> found;
	for (std::string line; std::getline(file, line);) {
		std::smatch match;
		if (!std::regex_match(line, match, declaration))
			continue;
		std::istringstream factors(match[2]);
		u64 value = 1;
		for (std::string factor; std::getline(factors, factor, '*');)
			value *= std::stoull(factor);
		found[match[1]] = value;
	}
	return found;
}

TEST(Tunables, AreThoseOfTheBpfScheduler)
{
	LatencySpec spec;
	std::map<std::string, u64> simulated = {
	    {"slice_ns", spec.slice_ns},
	    {"credit_ns", spec.credit_ns},
	    {"debt_ns", spec.debt_ns},
	    {"floor_percent", spec.floor_percent},
	    {"floor_window_ns", spec.floor_window_ns},
	    {"grain_ns", spec.grain_ns},
	    {"cap_period_ns", spec.cap_period_ns},
	    {"burst_ns", spec.burst_ns},
	    {"reserve_ns", spec.reserve_ns},
	    {"reserve_max_ns", spec.reserve_max_ns},
	    {"switch_ns", spec.switch_ns},
	    {"slack_min_ns", spec.slack_min_ns},
	    {"kthread_budget_ns", spec.kthread_budget_ns},
	    {"hysteresis_ns", spec.hysteresis_ns},
	    {"turn_min_ns", spec.turn_min_ns},
	    {"retry_ns", spec.retry_ns},
	    {"weight_epoch_ns", spec.weight_epoch_ns},
	};
	std::map<std::string, u64> real = tunables_of_source();
	real.erase("nr_llcs");  // the machine, not a tunable
	EXPECT_EQ(simulated, real);
}

}  // namespace
}  // namespace punctual::sim
