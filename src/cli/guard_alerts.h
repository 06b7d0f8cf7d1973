// SPDX-License-Identifier: GPL-2.0-only
// How the guard reaches people: lines on stderr, entries in the journal, a hook command, and files of faults. Nothing
// here can fail the guard: what cannot be told or kept is said on stderr, and that is all.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "guard/guard_state.h"

namespace punctual {

struct AlertFacts {
	std::string scheduler = {};
	std::string exit_class = {};  // by exit_class_name; empty: nothing ended
	std::string cause = {};       // in words
	std::string fault_file = {};  // empty: none was kept
};

// On stderr, unless that is the journal already, and with its fields in the journal where there is one.
void tell(const GuardAlert& alert, const AlertFacts& facts);

// The document "punctual.alert", version 1.
std::string alert_json(const GuardAlert& alert, const AlertFacts& facts, int64_t realtime_ns);

// Runs one command at a time, without a shell, for 30 s at most; a new fallback ends what still runs.
class Hook {
 public:
	// `argv` is empty when there is none; `nice` is that of the command.
	Hook(std::vector<std::string> argv, int nice) : argv_(std::move(argv)), nice_(nice) {}
	void set_command(std::vector<std::string> argv) { argv_ = std::move(argv); }  // what runs goes on
	void start(const AlertFacts& facts);
	void step();  // at least once in a second
	// No more will come: one that still runs has 5 s to end.
	void finish();

 private:
	std::vector<std::string> argv_;
	int nice_;
	std::optional<Child> child_;
	std::chrono::steady_clock::time_point ends_at_;
};

// The last faults, a file each: at most 20 and 8 MiB together.
class FaultFolder {
 public:
	explicit FaultFolder(std::filesystem::path directory) : directory_(std::move(directory)) {}
	// Returns the file's path, "" when it could not be written. `dump`: the kernel's, may be empty.
	std::string keep(int64_t realtime_ns, const AlertFacts& facts, const std::string& dump);

 private:
	void remove_old() const;
	std::filesystem::path directory_;
};

}  // namespace punctual
