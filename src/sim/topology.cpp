// SPDX-License-Identifier: GPL-2.0-only
#include "sim/topology.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tuple>

#include "base/cpu_list.h"
#include "base/file.h"

namespace punctual::sim {
namespace {

constexpr u32 kCacheIndexMax = 8;  // the kernel numbers caches from the nearest; machines have up to four or five

Result<u32> parse_count(std::string_view whole, std::string_view text)
{
	u32 count = 0;
	const char* end = text.data() + text.size();
	const auto [rest, error] = std::from_chars(text.data(), end, count);
	if (error != std::errc() || rest != end || count == 0 || count > CPUS_MAX)
		return fail(ExitCode::usage,
			    "topology '{}': give NODESxCACHESxCORESxTHREADS, numbers from 1 to {}, for example 2x8x8x2",
			    whole, CPUS_MAX);
	return count;
}

// A CPU as sysfs has it: the first CPU that it shares the thing with stands for the thing.
struct RawPlace {
	int node = 0;
	int llc = 0;
	int core = 0;
	int cpu = 0;
};

int first_of(const std::filesystem::path& file, int otherwise)
{
	const auto text = read_line(file);
	const auto list = text ? CpuList::parse(*text) : Result<CpuList>(fail(ExitCode::usage, "none"));
	return list && !list->empty() ? list->cpus().front() : otherwise;
}

int last_level_cache(const std::filesystem::path& cpu)
{
	int first = 0;
	for (u32 index = 0; index < kCacheIndexMax; index++)  // each larger than the one before
		first = first_of(cpu / fmt::format("cache/index{}/shared_cpu_list", index), first);
	return first;
}

Result<CpuList> read_cpus(const std::filesystem::path& file)
{
	const auto text = read_line(file);
	if (!text)
		return fail(ExitCode::usage, "{} (is this a copy of /sys/devices/system?)", text.error().what);
	auto list = CpuList::parse(*text);
	if (!list || list->empty() || list->cpus().size() > CPUS_MAX)
		return fail(ExitCode::usage, "{}: '{}' is no list of 1 to {} CPUs", file.string(), *text, CPUS_MAX);
	return std::move(*list);
}

// Which node each CPU belongs to; a tree without nodes is one.
std::map<int, int> nodes_of_cpus(const std::filesystem::path& system)
{
	std::map<int, int> node_of;
	const auto online = read_line(system / "node/online");
	const auto nodes = online ? CpuList::parse(*online) : Result<CpuList>(fail(ExitCode::usage, "none"));
	if (!nodes)
		return node_of;
	for (int node : nodes->cpus()) {
		const auto text = read_line(system / fmt::format("node/node{}/cpulist", node));
		const auto cpus = text ? CpuList::parse(*text) : Result<CpuList>(fail(ExitCode::usage, "none"));
		if (!cpus)
			continue;  // a node of memory alone
		for (int cpu : cpus->cpus())
			node_of[cpu] = node;
	}
	return node_of;
}

std::vector<CpuPlace> numbered(std::vector<RawPlace> raw)
{
	std::vector<CpuPlace> places;
	std::ranges::sort(raw, {},
			  [](const RawPlace& cpu) { return std::tuple(cpu.node, cpu.llc, cpu.core, cpu.cpu); });
	for (size_t i = 0; i < raw.size(); i++) {
		CpuPlace place;
		if (i) {
			const bool new_node = raw[i].node != raw[i - 1].node;
			const bool new_llc = new_node || raw[i].llc != raw[i - 1].llc;
			const bool new_core = new_llc || raw[i].core != raw[i - 1].core;
			place.node = static_cast<u16>(places.back().node + new_node);
			place.llc = static_cast<u16>(places.back().llc + new_llc);
			place.core = static_cast<u16>(places.back().core + new_core);
		}
		places.push_back(place);
	}
	return places;
}

}  // namespace

Result<std::vector<CpuPlace>> parse_topology(std::string_view text)
{
	std::array<u32, 4> counts = {1, 1, 1, 1};
	const bool is_one_number = text.find('x') == std::string_view::npos;
	std::string_view rest = text;
	u64 nr_cpus = 1;

	for (size_t i = is_one_number ? 2 : 0; i < counts.size(); i++) {
		const size_t end = is_one_number || i == 3 ? rest.size() : std::min(rest.find('x'), rest.size());
		counts[i] = TRY(parse_count(text, rest.substr(0, end)));
		nr_cpus *= counts[i];
		if (is_one_number)
			break;
		rest.remove_prefix(std::min(end + 1, rest.size()));
	}
	if (nr_cpus > CPUS_MAX)
		return fail(ExitCode::usage, "topology '{}' is {} CPUs: at most {} are simulated", text, nr_cpus,
			    CPUS_MAX);
	std::vector<CpuPlace> places(nr_cpus);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		const u32 core = cpu / counts[3], llc = core / counts[2];
		places[cpu] = {static_cast<u16>(llc / counts[1]), static_cast<u16>(llc), static_cast<u16>(core)};
	}
	return places;
}

Result<std::vector<CpuPlace>> read_topology(const std::filesystem::path& system)
{
	const CpuList online = TRY(read_cpus(system / "cpu/online"));
	std::map<int, int> node_of = nodes_of_cpus(system);
	std::vector<RawPlace> raw;

	for (int cpu : online.cpus()) {
		const std::filesystem::path folder = system / fmt::format("cpu/cpu{}", cpu);
		// The old name and the new one of the same list (Linux 5.2).
		const int core = first_of(folder / "topology/core_cpus_list",
					  first_of(folder / "topology/thread_siblings_list", cpu));
		raw.push_back({node_of[cpu], last_level_cache(folder), core, cpu});
	}
	return numbered(std::move(raw));
}

std::string topology_text(const std::vector<CpuPlace>& places)
{
	if (places.empty())
		return "no CPU";
	const CpuPlace& last = places.back();
	const auto some = [](u32 count, std::string_view what) {
		return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
	};
	return fmt::format("{}, {}, {}, {}", some(last.node + 1, "node"), some(last.llc + 1, "cache"),
			   some(last.core + 1, "core"), some(static_cast<u32>(places.size()), "CPU"));
}

}  // namespace punctual::sim
