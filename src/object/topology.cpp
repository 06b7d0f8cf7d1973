// SPDX-License-Identifier: GPL-2.0-only
#include "object/topology.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/file.h"

namespace punctual {
namespace {

bool is_in_scope(const CpuList& scope, int cpu)
{
	return scope.empty() || scope.contains(cpu);
}

// Of those in scope the first of the same cache, else of the same node, else any; none: the cache's own first CPU.
u16 nearest_in_scope(const std::vector<CpuPlace>& cpus, const CpuList& scope, const CpuPlace& from)
{
	const CpuPlace* nearest = &from;
	int distance = 3;
	for (const CpuPlace& other : cpus) {
		int there = other.shared == from.shared ? 0 : other.node == from.node ? 1 : 2;
		if (there < distance && is_in_scope(scope, other.cpu)) {
			nearest = &other;
			distance = there;
		}
	}
	return static_cast<u16>(nearest->cpu);
}

// Every CPU in one ring with those of its cache: its successor in the order of the list.
void link_ring(Topology* topology, const std::vector<int>& ring)
{
	for (size_t i = 0; i < ring.size(); i++)
		topology->next_in_llc[ring[i]] = static_cast<u16>(ring[(i + 1) % ring.size()]);
}

}  // namespace

Topology layout(std::vector<CpuPlace> cpus, const CpuList& scope)
{
	Topology topology;
	std::vector<std::vector<int>> rings;
	std::map<std::string, int> node_of_cache;  // one that spans nodes counts for the first
	std::map<std::string, u16> numbers;
	size_t rows = 0;

	for (CpuPlace& cpu : cpus) {
		cpu.node = node_of_cache.emplace(cpu.shared, cpu.node).first->second;
		rows = std::max(rows, cpu.cpu + 1UL);
	}
	std::ranges::sort(cpus, {}, [](const CpuPlace& cpu) { return std::pair(cpu.node, cpu.cpu); });
	topology.llc_of_cpu.resize(rows);
	topology.next_in_llc.resize(rows);
	for (const CpuPlace& cpu : cpus) {
		auto [number, is_new] = numbers.emplace(cpu.shared, static_cast<u16>(numbers.size()));
		if (is_new) {
			rings.emplace_back();
			topology.llc_places.push_back(
			    {static_cast<u16>(cpu.cpu), nearest_in_scope(cpus, scope, cpu), 0, 0, 0});
		}
		topology.llc_of_cpu[cpu.cpu] = number->second;
		rings[number->second].push_back(cpu.cpu);
		topology.llc_places[number->second].nr_cpus_in_scope += is_in_scope(scope, cpu.cpu);
	}
	for (const std::vector<int>& ring : rings)
		link_ring(&topology, ring);
	auto node_of = [&](size_t llc) {
		return std::ranges::find(cpus, topology.llc_places[llc].first_cpu, &CpuPlace::cpu)->node;
	};
	for (size_t llc = 0, first = 0; llc < rings.size(); llc++) {
		if (node_of(llc) != node_of(first))
			first = llc;
		topology.llc_places[llc].first_llc_of_node = static_cast<u16>(first);
		for (size_t i = first; i <= llc; i++)
			topology.llc_places[i].nr_llcs_of_node = static_cast<u16>(llc - first + 1);
	}
	return topology;
}

// A machine without nodes, or without a cache at that level, is one node, or one cache. Of CPUs that are offline the
// kernel does not say where they lie: when one comes online the scheduler is loaded again.
Result<std::vector<CpuPlace>> read_cpu_places()
{
	std::vector<CpuPlace> places;
	CpuList online = TRY(CpuList::online());
	CpuList nodes;

	if (auto text = read_line("/sys/devices/system/node/online"))
		nodes = CpuList::parse(*text).value_or(CpuList());
	for (int cpu : online.cpus()) {
		auto shared = read_line(fmt::format("/sys/devices/system/cpu/cpu{}/cache/index3/shared_cpu_list", cpu));
		places.push_back({cpu, 0, shared.value_or("")});
	}
	for (int node : nodes.cpus()) {
		auto text = read_line(fmt::format("/sys/devices/system/node/node{}/cpulist", node));
		CpuList members = text ? CpuList::parse(*text).value_or(CpuList()) : CpuList();
		for (CpuPlace& place : places)
			if (members.contains(place.cpu))
				place.node = node;
	}
	return places;
}

}  // namespace punctual
