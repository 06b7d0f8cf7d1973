// SPDX-License-Identifier: GPL-2.0-only
// Where CPUs and caches lie, on machines made by hand.
#include <gtest/gtest.h>

#include "object/topology.h"

namespace punctual {
namespace {

// Two nodes of two caches of two threads each, numbered as firmware does: first all cores, then their siblings.
std::vector<CpuPlace> two_nodes()
{
	return {{0, 0, "0,4"}, {1, 1, "1,5"}, {2, 0, "2,6"}, {3, 1, "3,7"},
		{4, 0, "0,4"}, {5, 1, "1,5"}, {6, 0, "2,6"}, {7, 1, "3,7"}};
}

TEST(Topology, CachesOfANodeAreNeighbours)
{
	Topology topology = layout(two_nodes(), {});
	EXPECT_EQ(topology.llc_of_cpu, (std::vector<u16>{0, 2, 1, 3, 0, 2, 1, 3}));
	ASSERT_EQ(topology.llc_places.size(), 4U);
	for (u16 llc = 0; llc < 4; llc++) {
		EXPECT_EQ(topology.llc_places[llc].first_llc_of_node, llc / 2 * 2) << "cache " << llc;
		EXPECT_EQ(topology.llc_places[llc].nr_llcs_of_node, 2) << "cache " << llc;
	}
}

TEST(Topology, CpusOfACacheFormARing)
{
	Topology topology = layout(two_nodes(), {});
	EXPECT_EQ(topology.next_in_llc, (std::vector<u16>{4, 5, 6, 7, 0, 1, 2, 3}));
	EXPECT_EQ(layout({{0, 0, "0"}}, {}).next_in_llc, (std::vector<u16>{0}));
}

TEST(Topology, NearestCpuInScopeIsOfTheCacheElseOfTheNodeElseAny)
{
	Topology topology = layout(two_nodes(), CpuList::parse("3,6").value());
	EXPECT_EQ(topology.llc_places[0].scope_cpu, 6);  // cache 0 has none: cache 1 of its node
	EXPECT_EQ(topology.llc_places[1].scope_cpu, 6);
	EXPECT_EQ(topology.llc_places[2].scope_cpu, 3);
	EXPECT_EQ(layout(two_nodes(), CpuList::parse("7").value()).llc_places[0].scope_cpu, 7);
}

TEST(Topology, CpusOfACacheInScopeAreCounted)
{
	Topology topology = layout(two_nodes(), CpuList::parse("3,6").value());
	EXPECT_EQ(topology.llc_places[0].nr_cpus_in_scope, 0);
	EXPECT_EQ(topology.llc_places[1].nr_cpus_in_scope, 1);
	EXPECT_EQ(layout(two_nodes(), {}).llc_places[0].nr_cpus_in_scope, 2);
}

// As with clusters within a socket: the CPUs of one cache lie in two nodes. It counts for the first.
TEST(Topology, CacheThatSpansNodesIsOneCacheOfOneNode)
{
	Topology topology = layout({{0, 1, "0-1"}, {1, 0, "0-1"}, {2, 1, "2"}}, {});
	EXPECT_EQ(topology.llc_of_cpu, (std::vector<u16>{0, 0, 1}));
	EXPECT_EQ(topology.next_in_llc, (std::vector<u16>{1, 0, 2}));
	EXPECT_EQ(topology.llc_places[0].nr_llcs_of_node, 2);
}

}  // namespace
}  // namespace punctual
