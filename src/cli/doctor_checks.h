// SPDX-License-Identifier: GPL-2.0-only
// What doctor thinks of a machine: pure functions from facts to findings, so that machines which nobody
// has at hand (a broken kernel, isolated CPUs) are tested as values. doctor_facts.h collects the facts.
#pragma once

#include <string>
#include <vector>

#include "cli/doctor_facts.h"

namespace punctual {

enum class Level { ok, warn, fail };

// What a failed check stands in the way of: our scheduler on this kernel, run-queue tracing, the lab, building.
enum class Purpose { native, tracing, lab, building };

struct Check {
	static Check good(const char* name, Purpose purpose, std::string finding);
	static Check bad(const char* name, Purpose purpose, Level level, std::string finding, std::string remedy);

	std::string name;
	Purpose purpose = Purpose::native;
	Level level = Level::ok;
	std::string finding;
	std::string remedy;  // empty when ok
};

std::vector<Check> examine(const MachineFacts& facts);

// The part of examine() that never blocks: settings which make latencies longer or results doubtful.
std::vector<Check> examine_settings(const MachineFacts& facts);

// No check of that purpose failed.
bool is_ready(const std::vector<Check>& checks, Purpose purpose);

// The last line: can this machine, and if not, can the lab?
std::string verdict(const std::vector<Check>& checks);

}  // namespace punctual
