// SPDX-License-Identifier: GPL-2.0-only
// The guard's state as a file, so that neither a restart nor a reboot forgets an open breaker; and as metrics.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "guard/guard_config.h"
#include "guard/guard_state.h"

namespace punctual {

// The document "punctual.guard_state", version 1.
std::string guard_state_to_json(const GuardState& state);
// Error (failed) when it is another document, another version, or contradicts itself.
Result<GuardState> guard_state_from_json(std::string_view text);

// What a running guard says of itself, for `punctual status`: an object. `config_error`: why the configuration on disk
// is not the one that holds; empty: it is, or was when it was read.
struct GuardConfigPlace {
	std::string path = {};
	std::string error = {};
};
std::string guard_status_json(const GuardState& state, const GuardConfig& config, const GuardConfigPlace& place,
			      int64_t now_ns);

// The exposition format of Prometheus. `ops`: what is loaded, whoever loaded it; "" for the kernel's own scheduler.
std::string guard_metrics(const GuardState& state, std::string_view ops);

// The same without the scheduler.
std::string guard_state_metrics(const GuardState& state);

}  // namespace punctual
