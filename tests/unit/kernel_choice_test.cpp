// SPDX-License-Identifier: GPL-2.0-only
#include "base/kernel_choice.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"

namespace punctual {
namespace {

TEST(KernelChoice, IsTheMarkedWord)
{
	EXPECT_EQ(marked_choice("none [integrity] confidentiality\n"), "integrity");
	EXPECT_EQ(marked_choice("none voluntary full (lazy)"), "lazy");
	for (const char* text : {"", "none", "[", "(none", "]none["})
		EXPECT_EQ(marked_choice(text), "") << text;
}

TEST(KernelChoice, OnlyConfidentialityKeepsBpfOut)
{
	const TempDir folder = *TempDir::create("lockdown");
	const std::string file = folder.path() / "lockdown";
	EXPECT_TRUE(check_bpf_may_read(file).has_value());  // no such file: a kernel without lockdown
	for (const char* mode : {"[none] integrity confidentiality", "none [integrity] confidentiality"}) {
		std::ofstream(file) << mode << '\n';
		EXPECT_TRUE(check_bpf_may_read(file).has_value()) << mode;
	}
	std::ofstream(file) << "none integrity [confidentiality]\n";
	ASSERT_FALSE(check_bpf_may_read(file).has_value());
	EXPECT_EQ(check_bpf_may_read(file).error().code, ExitCode::lacking);
}

}  // namespace
}  // namespace punctual
