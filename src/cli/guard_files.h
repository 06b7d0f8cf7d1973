// SPDX-License-Identifier: GPL-2.0-only
// The guard's folder: its state, the lock of the one guard that runs, and the word of a person who resets it.
#pragma once

#include <filesystem>

#include "base/fd.h"
#include "base/result.h"
#include "base/stop.h"
#include "guard/guard_state.h"

namespace punctual {

class GuardFiles {
 public:
	// Creates the folder and takes the lock. Error (failed): another guard has it.
	static Result<GuardFiles> create(const std::filesystem::path& directory, int stop_fd);

	// A new state where there is none. Error (failed), with the remedy: the file is damaged.
	Result<GuardState> read() const;
	// Says on stderr, once, when it cannot be written: a full disk must not end the guard.
	void save(const GuardState& state);
	// Has somebody asked for a reset since the last look? Takes note of it.
	bool take_reset() const;
	std::filesystem::path faults() const { return directory_ / "faults"; }

 private:
	GuardFiles(std::filesystem::path directory, UniqueFd lock)
	    : directory_(std::move(directory)), lock_(std::move(lock))
	{}
	std::filesystem::path directory_;
	UniqueFd lock_;
	bool said_ = false;
};

// `punctual guard --reset`: of the guard that runs, else of the state that one left.
Status reset_guard(const std::filesystem::path& directory);

}  // namespace punctual
