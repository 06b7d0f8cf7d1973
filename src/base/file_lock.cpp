// SPDX-License-Identifier: GPL-2.0-only
#include "base/file_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>

namespace punctual {

Result<UniqueFd> lock_file(const std::filesystem::path& path, int stop_fd, std::chrono::milliseconds wait_max)
{
	constexpr int kPollMs = 20;  // a blocking wait could not be stopped: signals come by a descriptor here
	UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
	if (!fd)
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot write {}", path.native()));
	const auto give_up_at = std::chrono::steady_clock::now() + wait_max;
	while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot lock {}", path.native()));
		if (std::chrono::steady_clock::now() > give_up_at)
			return fail(ExitCode::failed, "{} is locked by another process (fuser -v {} names it)",
				    path.native(), path.native());
		pollfd stop{stop_fd, POLLIN, 0};
		if (::poll(&stop, 1, kPollMs) > 0)
			return fail(ExitCode::interrupted, "interrupted");
	}
	return fd;
}

}  // namespace punctual
