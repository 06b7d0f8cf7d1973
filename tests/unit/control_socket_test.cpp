// SPDX-License-Identifier: GPL-2.0-only
// Both ends of the control socket: a guard that never waits, and clients of every kind.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/control_address.h"
#include "cli/control_client.h"
#include "cli/control_server.h"

namespace punctual {
namespace {

using namespace std::chrono_literals;

ControlReply echo(const ControlRequest& request)
{
	return {.text = control_request_json(request)};
}

class ControlSocket : public testing::Test {
 protected:
	ControlSocket() : folder_(TempDir::create("control").value())
	{
		::chmod(folder_.path().c_str(), 0755);
		server_.emplace(ControlServer::create(path()).value());
	}
	std::filesystem::path path() const { return folder_.path() / "control"; }
	UniqueFd connect() const
	{
		UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
		EXPECT_EQ(::connect(fd.get(), ControlAddress::of(path()).value().get(), sizeof(sockaddr_un)), 0);
		return fd;
	}
	static std::string receive(const UniqueFd& fd)
	{
		std::string text(kReplyBytesMax, '\0');
		const ssize_t got = ::recv(fd.get(), text.data(), text.size(), MSG_DONTWAIT);
		return got > 0 ? text.substr(0, static_cast<size_t>(got)) : "";
	}
	// Steps while the other end works in a thread of its own.
	template <typename Work>
	void serve_while(Work work)
	{
		std::atomic<bool> is_done = false;
		std::thread other([&] {
			work();
			is_done = true;
		});
		while (!is_done) {
			server_->step(echo);
			std::this_thread::sleep_for(1ms);
		}
		other.join();
	}

	TempDir folder_;
	std::optional<ControlServer> server_;
};

TEST_F(ControlSocket, AnswersTheClient)
{
	const ControlRequest request{ControlKind::budget_set, "vnf.slice", "60us"};
	serve_while([&] {
		const auto reply = ask_guard(request, path());
		ASSERT_TRUE(reply && *reply) << (reply ? "none" : reply.error().what);
		EXPECT_EQ((*reply)->text, control_request_json(request));
	});
}

TEST_F(ControlSocket, NobodyThereIsNoError)
{
	server_.reset();
	EXPECT_FALSE(std::filesystem::exists(path()));  // it takes its socket away
	EXPECT_FALSE(ask_guard({}, path()).value());
	EXPECT_FALSE(ask_guard({}, folder_.path() / "no/control").value());
	EXPECT_EQ(ask_guard({}, std::string(200, 'a')).error().code, ExitCode::usage);
}

TEST_F(ControlSocket, SocketOfADeadGuardIsReplacedAndThatOfALiveOneIsNot)
{
	EXPECT_NE(ControlServer::create(path()).error().what.find("another guard"), std::string::npos);
	const std::filesystem::path other = folder_.path() / "other";
	{
		const UniqueFd dead(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
		ASSERT_EQ(::bind(dead.get(), ControlAddress::of(other).value().get(), sizeof(sockaddr_un)), 0);
	}
	EXPECT_TRUE(ControlServer::create(other));
}

// Root's own: else all are refused before that.
TEST_F(ControlSocket, SilentClientsBlockNobodyAndAreFew)
{
	if (::geteuid() != 0)
		GTEST_SKIP() << "needs root";
	std::vector<UniqueFd> silent;
	for (int client = 0; client < 12; client++)
		silent.push_back(connect());
	server_->step(echo);
	EXPECT_EQ(receive(silent.front()), "");
	EXPECT_NE(receive(silent.back()).find("busy"), std::string::npos);
	std::this_thread::sleep_for(2100ms);
	server_->step(echo);  // their time is over
	serve_while([&] { EXPECT_TRUE(ask_guard({}, path()).value()); });
}

TEST_F(ControlSocket, PacketsThatAreNoRequestAreRefusedAndEnded)
{
	if (::geteuid() != 0)
		GTEST_SKIP() << "needs root";
	for (const std::string& text : {std::string("x"), std::string(kRequestBytesMax + 1, 'x'),
					std::string(100'000, 'x'), std::string("\0\xff", 2)}) {
		const UniqueFd client = connect();
		ASSERT_EQ(::send(client.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
		server_->step(echo);
		EXPECT_EQ(parse_control_reply(receive(client))->code, ExitCode::usage);
		EXPECT_EQ(::recv(client.get(), nullptr, 0, 0), 0);  // closed
	}
}

TEST_F(ControlSocket, ClientThatLeavesBeforeTheAnswerHarmsNobody)
{
	connect();
	server_->step(echo);
	serve_while([&] { EXPECT_TRUE(ask_guard({}, path())); });
}

TEST_F(ControlSocket, StrangerIsRefusedPlainly)
{
	if (::geteuid() != 0)
		GTEST_SKIP() << "needs root";
	const pid_t pid = ::fork();
	if (pid == 0) {
		if (::setgid(12345) != 0 || ::setuid(12345) != 0)
			::_exit(1);
		const auto reply = ask_guard({.kind = ControlKind::unload}, path());
		const bool is_refused =
		    reply && *reply && (*reply)->code == ExitCode::lacking && (*reply)->text.contains("group punctual");
		::_exit(is_refused ? 0 : 2);
	}
	int status = -1;
	while (::waitpid(pid, &status, WNOHANG) == 0) {
		server_->step([](const ControlRequest&) -> ControlReply { std::abort(); });
		std::this_thread::sleep_for(1ms);
	}
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace punctual
