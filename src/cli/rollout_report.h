// SPDX-License-Identifier: GPL-2.0-only
// The written report of a roll-out: text, page and JSON say the same.
#pragma once

#include <string>
#include <vector>

#include "bench/rollout_state.h"
#include "cli/rollout_options.h"

namespace punctual {

struct RolloutReport {
	const RolloutOptions& options;
	const RolloutSetup& setup;
	const RolloutState& state;
	std::string kernel;
	std::string command;  // that makes it again
};

std::string rollout_text(const RolloutReport& report);
std::string rollout_html(const RolloutReport& report);
std::string rollout_json(const RolloutReport& report);  // schema punctual.rollout, version 1

}  // namespace punctual
