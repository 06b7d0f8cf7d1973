// SPDX-License-Identifier: GPL-2.0-only
#include "runq/cgroup_names.h"

#include <fmt/format.h>

#include <bpf/bpf.h>

#include "abi/runq.h"
#include "base/cgroup.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPresentMax = 20000;

std::string name_below(const fs::path& mount, const fs::path& directory)
{
	return directory == mount ? "/" : "/" + directory.lexically_relative(mount).native();
}

}  // namespace

CgroupNames::CgroupNames()
{
	auto mount = cgroup2_mount();
	if (!mount)
		return;
	mount_ = *mount;
	auto learn = [this](const fs::path& directory) {
		if (auto id = cgroup_id(directory)) {
			names_[*id] = {.path = name_below(mount_, directory), .directory = directory};
			nr_present_++;
		}
	};
	learn(mount_);
	std::error_code error;  // a cgroup may vanish while we look
	const auto skip = fs::directory_options::skip_permission_denied;
	for (auto entry = fs::recursive_directory_iterator(mount_, skip, error);
	     entry != fs::end(entry) && !error && nr_present_ < kPresentMax; entry.increment(error)) {
		std::error_code vanished;
		if (entry->is_directory(vanished))
			learn(entry->path());
	}
}

const CgroupName& CgroupNames::look_up(u64 id)
{
	CgroupName& name = names_[id];
	if (name.removed)
		return name;
	auto directory = mount_.empty() ? std::optional<fs::path>() : cgroup_by_id(id).value_or(std::nullopt);
	if (directory) {
		name.directory = *directory;
		name.path = name_below(mount_, *directory);  // it may have been renamed
		return name;
	}
	name.removed = !mount_.empty();
	name.directory.clear();
	runq_path path = {};
	if (name.path.empty() && bpf_map_lookup_elem(paths_fd_, &id, &path) == 0)
		name.path.assign(path.text, strnlen(path.text, sizeof(path.text)));
	if (name.path.empty())
		name.path = fmt::format("id {}", id);
	return name;
}

}  // namespace punctual
