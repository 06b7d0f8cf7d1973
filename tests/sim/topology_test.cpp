// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "sim/topology.h"

namespace punctual::sim {
namespace {

TEST(Topology, TextGivesNodesCachesCoresAndThreads)
{
	const auto places = parse_topology("2x8x8x2");
	ASSERT_TRUE(places);
	EXPECT_EQ(topology_text(*places), "2 nodes, 16 caches, 128 cores, 256 CPUs");
	EXPECT_EQ((*places)[0], (CpuPlace{0, 0, 0}));
	EXPECT_EQ((*places)[3], (CpuPlace{0, 0, 1}));
	EXPECT_EQ((*places)[16], (CpuPlace{0, 1, 8}));
	EXPECT_EQ((*places)[255], (CpuPlace{1, 15, 127}));
	EXPECT_EQ(topology_text(*parse_topology("1024")), "1 node, 1 cache, 1024 cores, 1024 CPUs");
}

TEST(Topology, WrongTextIsRefusedWithAnExample)
{
	for (const char* text : {"", "x", "0", "2x8", "2x8x8", "2x8x8x2x1", "2x8x8x", "-1", "1025", "2x8x8x2 ",
				 "4x16x16x2", "99999999999x1x1x1", "2X8x8x2"}) {
		const auto places = parse_topology(text);
		ASSERT_FALSE(places) << text;
		EXPECT_EQ(places.error().code, ExitCode::usage);
		EXPECT_NE(places.error().what.find(text), std::string::npos);
	}
}

void write(const std::filesystem::path& file, const std::string& text)
{
	std::filesystem::create_directories(file.parent_path());
	std::ofstream(file) << text << "\n";
}

// Threads are numbered as Intel machines have them: CPU 0 and CPU 4 are one core.
TEST(Topology, SysfsTreeIsRenumberedCacheByCacheAndCoreByCore)
{
	const auto root = TempDir::create("topology");
	ASSERT_TRUE(root);
	const std::filesystem::path system = root->path();
	write(system / "cpu/online", "0-7");
	write(system / "node/online", "0-1");
	write(system / "node/node0/cpulist", "0-1,4-5");
	write(system / "node/node1/cpulist", "2-3,6-7");
	for (int cpu = 0; cpu < 8; cpu++) {
		const std::filesystem::path folder = system / fmt::format("cpu/cpu{}", cpu);
		write(folder / "topology/thread_siblings_list", fmt::format("{},{}", cpu % 4, cpu % 4 + 4));
		write(folder / "cache/index0/shared_cpu_list", fmt::format("{}", cpu));
		write(folder / "cache/index3/shared_cpu_list", cpu % 4 < 2 ? "0-1,4-5" : "2-3,6-7");
	}
	const auto places = read_topology(system);
	ASSERT_TRUE(places) << places.error().what;
	EXPECT_EQ(*places, *parse_topology("2x1x2x2"));
}

TEST(Topology, TreeThatSaysLittleIsOneCacheAndOneThatSaysNothingIsRefused)
{
	const auto root = TempDir::create("topology");
	ASSERT_TRUE(root);
	EXPECT_FALSE(read_topology(root->path()));
	EXPECT_NE(read_topology(root->path()).error().what.find("cpu/online"), std::string::npos);
	write(root->path() / "cpu/online", "0-2");
	EXPECT_EQ(*read_topology(root->path()), *parse_topology("3"));
	write(root->path() / "cpu/online", "many");
	EXPECT_FALSE(read_topology(root->path()));
}

TEST(Topology, ThisMachinesOwnCanBeRead)
{
	const auto places = read_topology("/sys/devices/system");
	ASSERT_TRUE(places) << places.error().what;
	EXPECT_FALSE(places->empty());
}

}  // namespace
}  // namespace punctual::sim
