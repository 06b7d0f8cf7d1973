// SPDX-License-Identifier: GPL-2.0-only
#include "cli/control_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "cli/control_address.h"

namespace punctual {
namespace {

constexpr timeval kReplyWait{30, 0};  // a guard that loads a scheduler answers when that is done

}  // namespace

std::filesystem::path control_path(const std::filesystem::path& state_dir)
{
	return state_dir == "/var/lib/punctual" ? "/run/punctual/control" : state_dir / "control";
}

Result<std::optional<ControlReply>> ask_guard(const ControlRequest& request, const std::filesystem::path& path)
{
	const ControlAddress address = TRY(ControlAddress::of(path));
	const UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, "cannot create a socket");
	(void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kReplyWait, sizeof(kReplyWait));
	(void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kReplyWait, sizeof(kReplyWait));
	if (::connect(fd.get(), address.get(), sizeof(sockaddr_un)) != 0) {
		if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
			return std::nullopt;
		return fail_errno(errno, errno == EACCES ? ExitCode::lacking : ExitCode::failed,
				  fmt::format("cannot reach the guard at {}", path.native()));
	}
	const std::string text = control_request_json(request);
	// Who is refused is told so before a request is read: the kernel then reports that first, and the reply next.
	(void)::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
	std::string reply(kReplyBytesMax, '\0');
	ssize_t got = ::recv(fd.get(), reply.data(), reply.size(), 0);
	if (got < 0 && errno == ECONNRESET)
		got = ::recv(fd.get(), reply.data(), reply.size(), 0);
	if (got <= 0)
		return fail_errno(got == 0 ? ECONNRESET : errno, ExitCode::failed,
				  fmt::format("the guard at {} does not answer", path.native()));
	reply.resize(static_cast<size_t>(got));
	return TRY(parse_control_reply(reply));
}

Result<std::optional<std::string>> through_guard(const ControlRequest& request)
{
	if (::geteuid() == 0)
		return std::nullopt;
	const std::optional<ControlReply> reply = TRY(ask_guard(request));
	if (!reply)
		return std::nullopt;
	if (reply->code != ExitCode::ok)
		return std::unexpected(Error{reply->code, reply->text});
	return reply->data;
}

}  // namespace punctual
