// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_look.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/fd.h"
#include "base/file.h"
#include "guard/guard_record.h"

namespace punctual {
namespace {

constexpr size_t kStateMax = 1UL << 20;

}  // namespace

Result<std::optional<GuardLook>> look_at_guard(const std::filesystem::path& directory)
{
	const std::filesystem::path path = directory / kGuardStateFile;
	struct stat state = {};
	if (::stat(path.c_str(), &state) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return std::nullopt;
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot read {}", path.native()));
	}
	const Result<GuardState> known = guard_state_from_json(TRY(read_file(path, kStateMax)));
	if (!known)
		return fail(known.error().code, "{} is no state of a guard: {}", path.native(), known.error().what);
	// Who runs has the lock. A guard that starts in this very instant tries again.
	const UniqueFd lock(::open((directory / kGuardLockFile).c_str(), O_RDONLY | O_CLOEXEC));
	const bool is_running = lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	return GuardLook{*known, is_running};
}

}  // namespace punctual
