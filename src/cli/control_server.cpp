// SPDX-License-Identifier: GPL-2.0-only
#include "cli/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/file.h"
#include "cli/control_address.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr size_t kClientsMax = 8;  // who may connect and has not said anything yet
constexpr int kAcceptsMax = 32;    // in a step: a flood of refusals takes a millisecond
constexpr int kBacklog = 32;
constexpr size_t kGroupsMax = 65536;  // NGROUPS_MAX of Linux
constexpr std::chrono::seconds kClientTime{2};

// From /etc/group itself: other sources of groups may wait for a network, which the guard must not.
std::optional<uint32_t> group_id(std::string_view wanted)
{
	const std::string text = read_file("/etc/group", 16UL << 20).value_or("");
	for (size_t at = 0; at < text.size();) {
		const size_t end = std::min(text.find('\n', at), text.size());
		const std::string_view line = std::string_view(text).substr(at, end - at);
		at = end + 1;
		if (!line.starts_with(fmt::format("{}:", wanted)))
			continue;
		const size_t number = line.find(':', wanted.size() + 1) + 1;
		uint32_t gid = 0;
		if (number != 0 &&
		    std::from_chars(line.data() + number, line.data() + line.size(), gid).ec == std::errc())
			return gid;
	}
	return std::nullopt;
}

// Empty where the kernel will not tell: then only the main group counts.
std::vector<uint32_t> peer_groups(int fd)
{
	std::vector<uint32_t> groups(64);
	auto bytes = static_cast<socklen_t>(groups.size() * sizeof(uint32_t));
	if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) {
		if (errno != ERANGE || bytes > kGroupsMax * sizeof(uint32_t))
			return {};
		groups.resize(bytes / sizeof(uint32_t));
		if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0)
			return {};
	}
	groups.resize(bytes / sizeof(uint32_t));
	return groups;
}

// One packet, or nothing: a client that does not take it has had its time.
void send_reply(int fd, const ControlReply& reply)
{
	std::string text = control_reply_json(reply);
	if (text.size() > kReplyBytesMax)
		text = control_reply_json({ExitCode::failed, "the answer is too long"});
	(void)::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool is_listening(const ControlAddress& address)
{
	const UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	return fd && (::connect(fd.get(), address.get(), sizeof(sockaddr_un)) == 0 || errno == EAGAIN);
}

}  // namespace

Result<ControlServer> ControlServer::create(const fs::path& path)
{
	const ControlAddress address = TRY(ControlAddress::of(path));
	std::error_code error;
	fs::create_directory(path.parent_path(), error);
	if (is_listening(address))
		return fail(ExitCode::failed, "{} belongs to another guard", path.native());
	::unlink(path.c_str());
	UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	// Everybody may connect: who may say something is decided by what the kernel says of the peer.
	if (!fd || ::bind(fd.get(), address.get(), sizeof(sockaddr_un)) != 0 || ::chmod(path.c_str(), 0666) != 0 ||
	    ::listen(fd.get(), kBacklog) != 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot listen at {}", path.native()));
	ControlServer server(path, std::move(fd));
	server.look_for_group();
	return server;
}

ControlServer::~ControlServer()
{
	if (fd_)
		::unlink(path_.c_str());
}

void ControlServer::look_for_group()
{
	group_ = group_id(kControlGroup);
}

void ControlServer::accept_one(UniqueFd client)
{
	ucred peer = {};
	socklen_t bytes = sizeof(peer);
	const bool is_known = ::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0;
	if (!is_known || !may_control(peer.uid, peer.gid, peer_groups(client.get()), group_))
		return send_reply(client.get(), {ExitCode::lacking,
						 fmt::format("the guard obeys root and members of the group {} only",
							     kControlGroup)});
	if (clients_.size() >= kClientsMax)
		return send_reply(client.get(), {ExitCode::failed, "the guard is busy with others; try again"});
	clients_.push_back({std::move(client), std::chrono::steady_clock::now() + kClientTime});
}

void ControlServer::step(const Answer& answer)
{
	for (int accepts = 0; accepts < kAcceptsMax; accepts++) {
		UniqueFd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
		if (!client)
			break;
		accept_one(std::move(client));
	}
	const auto now = std::chrono::steady_clock::now();
	std::erase_if(clients_, [&](const Client& client) {
		char text[kRequestBytesMax + 1];
		const ssize_t got = ::recv(client.fd.get(), text, sizeof(text), MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return now > client.ends_at;
		if (got > 0) {
			const auto request = parse_control_request({text, static_cast<size_t>(got)});
			send_reply(client.fd.get(), request ? answer(*request)
							    : ControlReply{request.error().code, request.error().what});
		}
		return true;
	});
}

}  // namespace punctual
