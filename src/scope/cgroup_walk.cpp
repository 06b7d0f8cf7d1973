// SPDX-License-Identifier: GPL-2.0-only
#include "scope/cgroup_walk.h"

#include <dirent.h>
#include <sys/stat.h>

#include <memory>

namespace punctual {
namespace {

struct CloseDir {
	void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

std::optional<FoundCgroup> CgroupWalk::next()
{
	// A cgroup has some 60 files and few children. Its number of links tells whether there are any, so
	// that most are never listed: a tenth of the work.
	constexpr nlink_t kLinksOfLeaf = 2;
	if (pending_.empty() || returned_ == kCgroupsMax)
		return std::nullopt;
	returned_++;
	FoundCgroup found{std::move(pending_.back())};
	const std::string& directory = found.directory;
	pending_.pop_back();
	struct stat status;
	if (stat(directory.c_str(), &status) != 0)
		return found;
	found.id = status.st_ino;
	if (status.st_nlink == kLinksOfLeaf)
		return found;
	const std::unique_ptr<DIR, CloseDir> listing(opendir(directory.c_str()));
	while (listing && pending_.size() < kCgroupsMax) {
		const dirent* entry = readdir(listing.get());
		if (!entry)
			break;
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			pending_.push_back(directory + "/" + entry->d_name);
	}
	return found;
}

}  // namespace punctual
