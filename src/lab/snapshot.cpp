// SPDX-License-Identifier: GPL-2.0-only
#include "lab/snapshot.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <vector>

#include "base/file.h"
#include "base/file_lock.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockName = "lock";
constexpr size_t kSnapshotsMax = 8;  // about 100 MB each

UniqueFd open_new(const fs::path& path)
{
	::unlink(path.c_str());  // an older file of this name may still be in use
	return UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

}  // namespace

Result<SnapshotSlot> SnapshotSlot::lock(const fs::path& cache, std::string_view key, int stop_fd)
{
	std::string whole = fmt::format("{}\n{}\n", read_line("/proc/sys/kernel/random/boot_id").value_or(""), key);
	const fs::path directory = cache / "snapshots" / fmt::format("{:016x}", std::hash<std::string_view>{}(whole));
	std::error_code error;
	fs::create_directories(directory, error);
	UniqueFd fd = TRY(lock_file(directory / kLockName, stop_fd));
	return SnapshotSlot(directory, std::move(whole), std::move(fd));
}

std::optional<Snapshot> SnapshotSlot::load() const
{
	if (read_file(directory_ / "key").value_or("") != key_)
		return std::nullopt;
	Snapshot snapshot{UniqueFd(::open((directory_ / "state").c_str(), O_RDWR | O_CLOEXEC)),
			  read_file(directory_ / "console").value_or("")};
	if (!snapshot.state)
		return std::nullopt;
	::utimensat(AT_FDCWD, (directory_ / "key").c_str(), nullptr, 0);  // recently used
	return snapshot;
}

Result<Snapshot> SnapshotSlot::begin() const
{
	::unlink((directory_ / "key").c_str());  // nothing to load until commit
	Snapshot snapshot{open_new(directory_ / "state"), {}};
	if (!snapshot.state)
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot write {}", directory_.native()));
	return snapshot;
}

Status SnapshotSlot::commit(const Snapshot& made) const
{
	TRY(replace_file(directory_ / "console", made.console));
	TRY(replace_file(directory_ / "key", key_));
	remove_oldest();
	return {};
}

void SnapshotSlot::remove_oldest() const
{
	std::vector<std::pair<fs::file_time_type, fs::path>> others;
	std::error_code error;
	for (const auto& entry : fs::directory_iterator(directory_.parent_path(), error))
		if (entry.path() != directory_)  // without a key, one is unfinished or abandoned: time zero, so first
			others.emplace_back(fs::last_write_time(entry.path() / "key", error), entry.path());
	std::ranges::sort(others);
	for (size_t i = 0; i + kSnapshotsMax <= others.size(); i++) {
		const UniqueFd fd(::open((others[i].second / kLockName).c_str(), O_RDWR | O_CLOEXEC));
		if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0)  // not while somebody makes or opens it
			fs::remove_all(others[i].second, error);
	}
}

}  // namespace punctual
