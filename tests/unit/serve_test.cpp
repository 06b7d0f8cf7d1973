// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "serve/http_server.h"
#include "serve/listen_socket.h"

namespace punctual {
namespace {

TEST(ParseListen, AddressesAndPortsAreTakenAndNamesAreNot)
{
	for (const char* text : {"127.0.0.1:9766", "0.0.0.0:0", "[::1]:65535", "[::]:1"})
		EXPECT_TRUE(parse_listen(text)) << text;
	for (const char* text :
	     {"", ":", ":80", "9766", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
	      "127.0.0.1:80x", "::1:80", "[::1]", "[127.0.0.1]:80", "[]:1", "1.2.3:4"}) {
		const auto listen = parse_listen(text);
		ASSERT_FALSE(listen) << text;
		EXPECT_EQ(listen.error().code, ExitCode::usage);
	}
}

TEST(ListenSocket, KnowsWhetherOthersCanReachIt)
{
	const auto bound = [](const char* text) { return listen_on(*parse_listen(text)); };
	const auto loopback = bound("127.0.0.1:0");
	ASSERT_TRUE(loopback) << loopback.error().what;
	EXPECT_TRUE(is_local(loopback->get()));
	EXPECT_TRUE(url_of(loopback->get()).starts_with("http://127.0.0.1:"));
	EXPECT_FALSE(url_of(loopback->get()).ends_with(":0"));
	const auto anywhere = bound("0.0.0.0:0");
	ASSERT_TRUE(anywhere) << anywhere.error().what;
	EXPECT_FALSE(is_local(anywhere->get()));
}

TEST(ListenSocket, TakenPortIsAClearError)
{
	const auto first = listen_on(*parse_listen("127.0.0.1:0"));
	ASSERT_TRUE(first);
	const std::string address = url_of(first->get()).substr(std::string("http://").size());
	const auto second = listen_on(*parse_listen(address));
	ASSERT_FALSE(second);
	EXPECT_NE(second.error().what.find(address), std::string::npos);
	EXPECT_NE(second.error().what.find("--listen"), std::string::npos);
}

TEST(HostHeader, OnlyThisMachineIsThisMachine)
{
	for (const char* host :
	     {"localhost", "localhost:9766", "127.0.0.1", "127.0.0.1:9766", "127.1.2.3", "[::1]", "[::1]:80"})
		EXPECT_TRUE(names_this_machine(host)) << host;
	for (const char* host : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80",
				 "127.evil.example", "[::1].evil.example", "[::2]:80", "10.0.0.1", "[::1"})
		EXPECT_FALSE(names_this_machine(host)) << host;
}

}  // namespace
}  // namespace punctual
