// SPDX-License-Identifier: GPL-2.0-only
// What the control socket understands, and whom it obeys.
#include "guard/control_request.h"

#include <vector>

#include <gtest/gtest.h>

namespace punctual {
namespace {

std::string refusal(std::string_view text)
{
	const auto request = parse_control_request(text);
	EXPECT_FALSE(request) << text;
	if (request)
		return "";
	EXPECT_EQ(request.error().code, ExitCode::usage);
	EXPECT_EQ(request.error().what.find('\n'), std::string::npos);
	return request.error().what;
}

TEST(ControlRequest, EachIsReadAsItWasWritten)
{
	for (const ControlRequest& request :
	     {ControlRequest{ControlKind::status}, ControlRequest{ControlKind::budget_list},
	      ControlRequest{ControlKind::budget_set, "vnf.slice", "60us", "30%"},
	      ControlRequest{ControlKind::budget_set, "a/\"b\"", "60us"},
	      ControlRequest{ControlKind::budget_clear, "a"}, ControlRequest{ControlKind::reload},
	      ControlRequest{ControlKind::unload}, ControlRequest{ControlKind::reset}}) {
		const auto read = parse_control_request(control_request_json(request));
		ASSERT_TRUE(read) << read.error().what;
		EXPECT_EQ(*read, request);
	}
}

TEST(ControlRequest, WhatIsNoneIsRefusedInOneLine)
{
	for (const char* text :
	     {"", "{", "[]", "1", "null", "{}", R"({"request":1})", R"({"request":""})",
	      R"({"request":"budget_set","cgroup":"a"})", R"({"request":"budget_set","cgroup":"a","latency":60})",
	      R"({"request":"budget_clear"})", R"({"request":"budget_clear","cgroup":["a"]})"})
		EXPECT_NE(refusal(text), "");
	EXPECT_NE(refusal(R"({"request":"load\n"})").find("letters"), std::string::npos);
	EXPECT_NE(refusal(R"({"request":"load"})").find("known: status"), std::string::npos);
	EXPECT_NE(refusal(R"({"request":"budget_set","cgroup":"a"})").find("'latency'"), std::string::npos);
	EXPECT_NE(refusal(R"({"request":"status","force":true})").find("not its own"), std::string::npos);
}

TEST(ControlRequest, SizeAndDepthAreBounded)
{
	EXPECT_NE(refusal(std::string(kRequestBytesMax + 1, ' ')).find("4096"), std::string::npos);
	EXPECT_NE(refusal(std::string(kRequestBytesMax, '[')), "");
	EXPECT_NE(refusal(R"({"request":"budget_clear","cgroup":")" + std::string(2000, 'a') + R"("})"), "");
}

TEST(ControlReply, IsReadAsItWasWritten)
{
	const auto read = parse_control_reply(control_reply_json({ExitCode::lacking, "a \"b\"", R"({"c":1})"}));
	ASSERT_TRUE(read) << read.error().what;
	EXPECT_EQ(read->code, ExitCode::lacking);
	EXPECT_EQ(read->text, "a \"b\"");
	EXPECT_EQ(read->data, R"({"c":1})");
	for (const char* text :
	     {"", "{}", R"({"schema":"punctual.control","version":2,"code":0,"text":"","data":null})"})
		EXPECT_FALSE(parse_control_reply(text)) << text;
}

TEST(MayControl, RootAndMembersOfTheGroupOnly)
{
	const std::vector<uint32_t> none, member = {4, 900};
	EXPECT_TRUE(may_control(0, 0, none, std::nullopt));
	EXPECT_TRUE(may_control(1000, 900, none, 900));
	EXPECT_TRUE(may_control(1000, 1000, member, 900));  // supplementary
	EXPECT_FALSE(may_control(1000, 1000, none, 900));
	EXPECT_FALSE(may_control(1000, 0, none, 900));  // root's group is not root
	EXPECT_FALSE(may_control(1000, 1000, member, std::nullopt));
}

}  // namespace
}  // namespace punctual
