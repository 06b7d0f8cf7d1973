// SPDX-License-Identifier: GPL-2.0-only
#include "scope/config_file.h"

#include <gtest/gtest.h>

#include "base/file.h"

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

std::vector<std::string> texts(const std::vector<ConfigValue>& values)
{
	std::vector<std::string> texts;
	for (const ConfigValue& value : values)
		texts.push_back(value.text);
	return texts;
}

TEST(ConfigFile, HoldsEverythingThatFlagsCanSay)
{
	const auto config = parse_config(R"(
scheduler = "scx_latency"
cpus = "0-3"
floor = "10%"
timeout = "5s"
only = true
slices = ["rt.slice"]
[set]
slice_ns = "2ms"
debt_ns = 400000
strict = true
[budgets]
"vnf.slice" = "60us"
"voice.slice" = {latency = "5ms", cap = "30%"}
[guard]
slo = [
  "starved > 0",
  "miss(vnf.slice) > 1%",
]
on_fallback = "true"
webhook = "http://a/"
metrics = "/m"
)",
					 "a.toml");
	ASSERT_TRUE(config) << config.error().what;
	EXPECT_EQ(config->scheduler.text, "scx_latency");
	EXPECT_EQ(config->cpus.text, "0-3");
	EXPECT_EQ(config->floor.text, "10%");
	EXPECT_EQ(config->timeout.text, "5s");
	EXPECT_EQ(config->only.text, "true");
	EXPECT_EQ(texts(config->slices), std::vector<std::string>{"rt.slice"});
	EXPECT_EQ(texts(config->set), (std::vector<std::string>{"debt_ns=400000", "slice_ns=2ms", "strict=true"}));
	EXPECT_EQ(texts(config->slo), (std::vector<std::string>{"starved > 0", "miss(vnf.slice) > 1%"}));
	EXPECT_EQ(config->slo[1].place, "a.toml:18: guard.slo");
	EXPECT_EQ(config->on_fallback.text + config->webhook.text + config->metrics.text, "truehttp://a//m");
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
	EXPECT_TRUE(config->cpus.text.empty() && config->set.empty() && config->budgets.empty());
}

TEST(ConfigFile, UnknownKeyIsNamedWithItsLine)
{
	EXPECT_NE(refusal("cpus = \"0\"\nfloors = \"10%\"\n").find("a.toml:2: unknown key 'floors'"),
		  std::string::npos);
	EXPECT_NE(refusal("[guard]\nhook = \"a\"\n").find("a.toml:2: unknown key 'guard.hook'"), std::string::npos);
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
	      "\nonly = \"true\"", "\nslices = \"a\"", "[guard]\nslo = [1.5]", "[guard]\nmetrics = {}", "\nguard = 1",
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

TEST(ConfigFile, LettersBeyondAsciiAreForCommentsAndQuotes)
{
	const auto config = parse_config("# \u024c\n[budgets]\n\"caf\u00e9.slice\" = '60us' # \u024c\n", "a.toml");
	ASSERT_TRUE(config) << config.error().what;
	EXPECT_EQ(config->budgets[0].cgroup, "caf\u00e9.slice");
	EXPECT_EQ(refusal("cpus = \"0\"\n\u024c = 1\n"),
		  "a.toml:2: U+024C may stand in a comment or in double quotes, not here");
}

TEST(ConfigFile, FileThatIsNotThereIsNamed)
{
	const auto config = read_config("/no/such.toml");
	ASSERT_FALSE(config);
	EXPECT_EQ(config.error().code, ExitCode::usage);
	EXPECT_NE(config.error().what.find("/no/such.toml"), std::string::npos);
}

TEST(ConfigFile, LaterFileHasTheLastWordKeyByKey)
{
	ConfigFile config = parse_config(R"(
cpus = "0"
floor = "10%"
[set]
slice_ns = 1
debt_ns = 2
[budgets]
"a" = {latency = "1ms", cap = "3%"}
"b" = "2ms"
[guard]
slo = ["starved > 0", "starved > 1"]
)",
					 "a.toml")
				.value();
	merge_config(&config, parse_config(R"(
floor = "20%"
set = {slice_ns = 3}
budgets = {a = "4ms"}
guard = {slo = ["starved > 2"]}
)",
					   "b.toml")
				  .value());
	EXPECT_EQ(config.cpus.place, "a.toml:2: cpus");
	EXPECT_EQ(config.floor.text, "20%");
	EXPECT_EQ(config.floor.place, "b.toml:2: floor");
	EXPECT_EQ(texts(config.set), (std::vector<std::string>{"debt_ns=2", "slice_ns=3"}));
	ASSERT_EQ(config.budgets.size(), 2U);
	EXPECT_EQ(config.budgets[1].latency + config.budgets[1].cap, "4ms");  // the entry as a whole
	EXPECT_EQ(texts(config.slo), std::vector<std::string>{"starved > 2"});
}

TEST(ConfigFile, FolderIsReadByNameAfterTheMainFile)
{
	const TempDir folder = TempDir::create("config").value();
	EXPECT_NE(read_config(folder.path()).error().what.find("punctual.toml"), std::string::npos);
	std::filesystem::create_directory(folder.path() / "conf.d");
	const auto write = [&](const char* name, const char* text) {
		ASSERT_TRUE(replace_file(folder.path() / name, text));
	};
	write("conf.d/20.toml", "cpus = \"2\"");
	write("conf.d/10.toml", "cpus = \"1\"\nfloor = \"11%\"");
	write("conf.d/30.toml.off", "cpus = [");
	write("punctual.toml", "floor = \"10%\"\ntimeout = \"5s\"");
	const auto config = read_config(folder.path());
	ASSERT_TRUE(config) << config.error().what;
	EXPECT_EQ(config->cpus.text + config->floor.text + config->timeout.text, "211%5s");
	write("conf.d/15.toml", "cpu = \"1\"");
	EXPECT_NE(read_config(folder.path()).error().what.find("conf.d/15.toml:1: unknown key"), std::string::npos);
}

TEST(ConfigFile, ShippedExampleIsRead)
{
	const std::filesystem::path path = PUNCTUAL_SOURCE_DIR "/deploy/examples/punctual.toml";
	const auto config = read_config(path);
	ASSERT_TRUE(config) << config.error().what;
	EXPECT_EQ(config->scheduler.text, "scx_latency");
	// What it shows as a comment is right, too: every line that looks like TOML.
	std::string text = read_file(path).value();
	for (const std::string_view mark :
	     {"\n#cpus", "\n#floor", "\n#timeout", "\n#only", "\n#slices", "\n#\"", "\n#slice_ns", "\n#slo",
	      "\n#    \"", "\n#]", "\n#on_fallback", "\n#metrics", "\n#webhook"})
		for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark))
			text.erase(at + 1, 1);
	const auto whole = parse_config(text, "example");
	ASSERT_TRUE(whole) << whole.error().what;
	EXPECT_EQ(whole->slo.size(), 3U);
	EXPECT_EQ(whole->budgets.size(), 2U);
	EXPECT_FALSE(whole->webhook.text.empty());
}

}  // namespace
}  // namespace punctual
