// SPDX-License-Identifier: GPL-2.0-only
// The guard's folder: its state, and the lock of the one guard that runs; and what is done about them without a guard.
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
	// Says on stderr, once, when it cannot be written: a full disk must not end the guard. `must_last`: it is to be
	// on the disk before what comes next, which may bring the machine down.
	void save(const GuardState& state, bool must_last);
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

// `punctual guard --clean-up`: undoes the scope of --only that a killed guard left, and detaches its scheduler should
// the kernel still run it. Nothing of somebody else's is touched. Error (failed): a guard runs.
Status clean_up_after_guard(const std::filesystem::path& directory);

}  // namespace punctual
