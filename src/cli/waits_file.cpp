// SPDX-License-Identifier: GPL-2.0-only
#include "cli/waits_file.h"

#include <optional>
#include <set>

#include <fmt/ranges.h>

#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kNamesMax = 20;  // in an error

std::string_view without_slash(std::string_view path)
{
	return path.starts_with('/') ? path.substr(1) : path;
}

// "/a/vnf.slice" is meant by "a/vnf.slice", "/a/vnf.slice" and "vnf.slice".
bool is_meant(std::string_view path, std::string_view name)
{
	path = without_slash(path);
	name = without_slash(name);
	return path == name || (!name.empty() && path.ends_with(name) && path[path.size() - name.size() - 1] == '/');
}

// Chooses the waits that were asked for out of each window.
class Choice {
 public:
	explicit Choice(const std::string& cgroup) : cgroup_(cgroup) {}

	WaitCounts of(const WaitSnapshot& window)
	{
		if (cgroup_.empty())
			return window.all();
		WaitCounts counts;
		for (const CgroupWaits& row : window.cgroups)
			if (is_meant(row.path, cgroup_)) {
				counts.merge(row.waits);
				paths_.insert(row.path);
			}
		return counts;
	}

	Status check(const std::string& file, const WaitSnapshot& total) const
	{
		if (cgroup_.empty() || paths_.size() == 1 || paths_.contains("/" + cgroup_))
			return {};
		std::vector<std::string> names;
		if (paths_.empty())
			for (const CgroupWaits& row : total.cgroups)
				names.push_back(clean_text(row.path));
		for (const std::string& path : paths_)
			names.push_back(clean_text(path));
		const bool more = names.size() > kNamesMax;
		names.resize(std::min(names.size(), kNamesMax));
		return fail(ExitCode::usage, "{}: {} cgroup {}; {}: {}{}", file,
			    paths_.empty() ? "no" : "more than one", clean_text(cgroup_),
			    paths_.empty() ? "it has" : "give the whole path", fmt::join(names, ", "),
			    more ? ", ..." : "");
	}

 private:
	const std::string& cgroup_;
	std::set<std::string> paths_;
};

}  // namespace

Result<WaitsFile> read_waits_file(const std::string& path, BlockLength length, const std::string& cgroup)
{
	Choice choice(cgroup);
	std::optional<TimeBlocks> blocks;
	Recording recording = TRY(read_recording(path, [&](u64 begin_ns, const WaitSnapshot& window) {
		if (!blocks)
			blocks.emplace(begin_ns, length.first_ns, length.blocks_max);
		blocks->add(window.at_ns, choice.of(window));
	}));
	TRY(choice.check(path, recording.total));
	if (recording.was_cut)
		fmt::print(stderr, "punctual: {} was cut: {}; what came before is used\n", path,
			   recording.damage.empty() ? "it has no end" : recording.damage);
	if (!blocks)
		blocks.emplace(recording.environment.start_ns, length.first_ns, length.blocks_max);
	return WaitsFile{path, std::move(recording), std::move(*blocks)};
}

WaitCounts waits_of(const WaitsFile& file)
{
	WaitCounts sum;
	for (const WaitCounts& block : file.blocks.blocks())
		sum.merge(block);
	return sum;
}

double lost_share(const WaitsFile& file)
{
	const auto lost = static_cast<double>(file.recording.total.losses.lost);
	const auto counted = static_cast<double>(file.recording.total.all().count());
	return lost > 0 ? lost / (lost + counted) : 0;
}

}  // namespace punctual
