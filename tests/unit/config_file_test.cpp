// SPDX-License-Identifier: GPL-2.0-only
#include "scope/config_file.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

std::string refusal(std::string_view text)
{
	const Result<ConfigFile> config = parse_config(text, "a.toml");
	EXPECT_FALSE(config) << text;
	if (config)
		return "";
	EXPECT_EQ(config.error().code, ExitCode::usage);
	EXPECT_EQ(config.error().what.find('\n'), std::string::npos) << config.error().what;
	return config.error().what;
}

TEST(ConfigFile, HoldsEverythingThatFlagsCanSay)
{
	const auto config = parse_config(R"(
cpus = "0-3"
floor = "10%"
timeout = "5s"
[set]
slice_ns = "2ms"
debt_ns = 400000
strict = true
[budgets]
"vnf.slice" = "60us"
"voice.slice" = {latency = "5ms", cap = "30%"}
)",
					 "a.toml");
	ASSERT_TRUE(config) << config.error().what;
	EXPECT_EQ(config->cpus, "0-3");
	EXPECT_EQ(config->floor, "10%");
	EXPECT_EQ(config->timeout, "5s");
	EXPECT_EQ(config->set, (std::vector<std::string>{"debt_ns=400000", "slice_ns=2ms", "strict=true"}));
	ASSERT_EQ(config->budgets.size(), 2U);
	EXPECT_EQ(config->budgets[0].cgroup, "vnf.slice");
	EXPECT_EQ(config->budgets[0].latency, "60us");
	EXPECT_EQ(config->budgets[0].cap, "");
	EXPECT_EQ(config->budgets[1].latency, "5ms");
	EXPECT_EQ(config->budgets[1].cap, "30%");
}

TEST(ConfigFile, EmptyFileSaysNothing)
{
	const auto config = parse_config("# nothing\n", "a.toml");
	ASSERT_TRUE(config);
	EXPECT_TRUE(config->cpus.empty() && config->set.empty() && config->budgets.empty());
}

TEST(ConfigFile, UnknownKeyIsNamedWithItsLine)
{
	EXPECT_NE(refusal("cpus = \"0\"\nfloors = \"10%\"\n").find("a.toml:2: unknown key 'floors'"),
		  std::string::npos);
	EXPECT_NE(refusal("[budgets]\na = {latency = \"1ms\", quota = \"3%\"}\n")
		      .find("a.toml:2: unknown key 'budgets.a.quota'"),
		  std::string::npos);
}

TEST(ConfigFile, UnquotedNameWithDotsGetsTheRemedy)
{
	// TOML reads vnf.slice = as a table vnf with a key slice.
	EXPECT_NE(refusal("[budgets]\nvnf.slice = \"60us\"\n").find("quotes"), std::string::npos);
}

TEST(ConfigFile, ValueOfTheWrongKindIsNamedWithItsLine)
{
	for (const char* text :
	     {"\ncpus = [0, 1]", "\nfloor = 0.1", "\ntimeout = 1979-05-27", "\nset = 3", "\nbudgets = \"60us\"",
	      "[set]\nslice_ns = {}", "[budgets]\na = {cap = \"3%\"}", "\ncpus = \"\""})
		EXPECT_TRUE(refusal(text).starts_with("a.toml:2: ")) << refusal(text);
}

TEST(ConfigFile, TextThatIsNoTomlIsRefusedWithItsLine)
{
	EXPECT_TRUE(refusal("cpus = \"0\"\ncpus = \"1\"\n").starts_with("a.toml:2: "));
	EXPECT_TRUE(refusal("cpus = \n").starts_with("a.toml:1: "));
	EXPECT_TRUE(refusal("[\n\n").starts_with("a.toml:1: "));
	EXPECT_TRUE(refusal(std::string_view("\x7f\x45LF\0", 5)).starts_with("a.toml:1: "));
}

TEST(ConfigFile, LettersBeyondAsciiAreForComments)
{
	const auto config = parse_config("# \u024c\n[budgets]\n\"caf\\u00e9\\\"#\" = '60us' # \u024c\n", "a.toml");
	ASSERT_TRUE(config) << config.error().what;
	EXPECT_EQ(config->budgets[0].cgroup, "caf\u00e9\"#");
	EXPECT_TRUE(refusal("cpus = \"0\"\n\u024c = 1\n").starts_with("a.toml:2: "));
	EXPECT_TRUE(refusal("cpus = \"0\\\"#\u00e9\"\n").starts_with("a.toml:1: "));
	EXPECT_TRUE(refusal("cpus = '''\n#\u00e9'''\n").starts_with("a.toml:2: "));
}

TEST(ConfigFile, FileThatIsNotThereIsNamed)
{
	const auto config = read_config("/no/such.toml");
	ASSERT_FALSE(config);
	EXPECT_EQ(config.error().code, ExitCode::usage);
	EXPECT_NE(config.error().what.find("/no/such.toml"), std::string::npos);
}

}  // namespace
}  // namespace punctual
