// SPDX-License-Identifier: GPL-2.0-only
// Facts that the scheduling decisions are asked about, at 1 ms.
#pragma once

#include "policy/latency.h"

inline constexpr latency_tunables kTunables = {.reserve_ns = 10'000,
					       .burst_ns = 20'000,
					       .turn_ns = 4'000'000,
					       .slack_ns_min = 5'000,
					       .kthread_budget_ns = 50'000,
					       .hysteresis_ns = 10'000};

inline place_facts woken_with_budget(u64 budget_ns, running_kind running)
{
	place_facts facts = {};
	facts.now_ns = 1'000'000;
	facts.budget_ns = budget_ns;
	facts.running.kind = running;
	facts.woken = true;
	return facts;
}

inline running_facts running(running_kind kind, u64 deadline_ns)
{
	running_facts facts = {};
	facts.deadline_ns = deadline_ns;
	facts.budget_ns = 60'000;
	facts.kept_until_ns = 1'020'000;
	facts.kind = kind;
	return facts;
}
