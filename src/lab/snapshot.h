// SPDX-License-Identifier: GPL-2.0-only
// Guests that have booted and settled, kept on disk: a run goes on from one instead of booting again (0.1 s
// instead of 2 to 8). In virtual time a run from a snapshot equals a run from boot, to the nanosecond.
// Only good until the host boots again, so a crash cannot leave a half-written one that looks whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

struct Snapshot {
	UniqueFd state;
	std::string console;  // what the console said until then
};

// The place of one snapshot, locked: who makes it makes others of the same key wait and then find it.
class SnapshotSlot {
 public:
	// `key`: all that the guest's state depends on. `stop_fd`: see lock_file.
	static Result<SnapshotSlot> lock(const std::filesystem::path& cache, std::string_view key, int stop_fd);

	std::optional<Snapshot> load() const;

	// A fresh file to fill; then commit() makes them the snapshot and removes the oldest others.
	Result<Snapshot> begin() const;
	Status commit(const Snapshot& made) const;

 private:
	SnapshotSlot(std::filesystem::path directory, std::string key, UniqueFd locked)
	    : directory_(std::move(directory)), key_(std::move(key)), lock_(std::move(locked))
	{}
	void remove_oldest() const;

	std::filesystem::path directory_;
	std::string key_;
	UniqueFd lock_;
};

}  // namespace punctual
