// SPDX-License-Identifier: GPL-2.0-only
#include "object/trial.h"

#include <poll.h>
#include <gtest/gtest.h>

#include <csignal>

namespace punctual {
namespace {

using std::chrono::seconds;

TEST(Trial, CrashIsAnErrorOfTheObjectAndNotOurEnd)
{
	const Status tried = try_in_copy("a.bpf.o", "loading", seconds(60), [] { std::raise(SIGSEGV); });
	ASSERT_FALSE(tried);
	EXPECT_EQ(tried.error().code, ExitCode::usage);
	EXPECT_NE(tried.error().what.find("'a.bpf.o' is a damaged BPF object (loading it crashes"), std::string::npos)
	    << tried.error().what;
}

TEST(Trial, WorkThatDoesNotEndIsEnded)
{
	const Status tried = try_in_copy("a.bpf.o", "reading", seconds(0), [] { poll(nullptr, 0, -1); });
	ASSERT_FALSE(tried);
	EXPECT_NE(tried.error().what.find("reading it does not end"), std::string::npos) << tried.error().what;
}

TEST(Trial, WhatItDidInMemoryIsLost)
{
	int done = 0;
	EXPECT_TRUE(try_in_copy("a.bpf.o", "reading", seconds(60), [&done] { done = 1; }));
	EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace punctual
