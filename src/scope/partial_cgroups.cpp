// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial_cgroups.h"

#include <algorithm>
#include <charconv>

#include "base/cgroup.h"
#include "base/file.h"
#include "scope/thread_policy.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

// What one look, ten times a second, can afford.
constexpr size_t kThreadsMax = 16'384;
constexpr size_t kCgroupsMax = 4'096;

// One number a line, as cgroup.threads has them; a thread of another PID namespace reads 0.
template <typename Visit>
void for_each_line_number(std::string_view text, Visit visit)
{
	while (!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n'));
		text.remove_prefix(std::min(line.size() + 1, text.size()));
		pid_t number = 0;
		if (std::from_chars(line.data(), line.data() + line.size(), number).ec == std::errc() && number > 0)
			visit(number);
	}
}

std::vector<fs::path> children_of(const fs::path& directory)
{
	std::vector<fs::path> children;
	std::error_code error;
	for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
	     entry.increment(error)) {
		std::error_code vanished;
		if (entry->is_directory(vanished))
			children.push_back(entry->path());
	}
	return children;
}

}  // namespace

CgroupFacts cgroup_facts(const fs::path& directory)
{
	CgroupFacts facts{directory, read_line(directory / "cpuset.cpus.partition").value_or(""), {}};
	if (auto text = read_line(directory / "cpuset.cpus.effective"); text && !text->empty())
		facts.cpus = CpuList::parse(*text).value_or(CpuList());
	return facts;
}

Result<PartitionFacts> partition_facts(const std::vector<fs::path>& slices)
{
	PartitionFacts facts;
	facts.mount = TRY(cgroup2_mount());
	facts.online = TRY(CpuList::online());
	for (const fs::path& slice : slices) {
		std::vector<CgroupFacts> chain;
		fs::path directory = facts.mount;
		for (const fs::path& part : slice.lexically_relative(facts.mount)) {
			if (part == ".")
				continue;
			directory /= part;
			chain.insert(chain.begin(), cgroup_facts(directory));
		}
		facts.slices.push_back(std::move(chain));
	}
	return facts;
}

Result<ThreadsBelow> threads_below(const fs::path& directory, const std::vector<fs::path>& slices)
{
	struct Place {
		fs::path directory;
		bool is_in_slice;
	};
	ThreadsBelow found;
	std::vector<Place> places{{directory, false}};
	for (size_t at = 0; at < places.size(); at++) {
		if (places.size() > kCgroupsMax)
			return fail(ExitCode::failed, "--only: more than {} cgroups below {}", kCgroupsMax,
				    directory.native());
		const fs::path here = places[at].directory;
		const bool is_in_slice = places[at].is_in_slice || std::ranges::find(slices, here) != slices.end();
		for_each_line_number(read_file(here / "cgroup.threads").value_or(""), [&](pid_t tid) {
			if (!is_in_slice)
				found.strangers.push_back(tid);
			else if (const auto policy = policy_of(tid))
				found.in_slices.push_back({tid, *policy});
		});
		if (found.in_slices.size() > kThreadsMax)
			return fail(ExitCode::failed, "--only: more than {} threads in the slices below {}",
				    kThreadsMax, directory.native());
		for (fs::path& child : children_of(here))
			places.push_back({std::move(child), is_in_slice});
	}
	return found;
}

}  // namespace punctual
