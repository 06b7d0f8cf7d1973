// SPDX-License-Identifier: GPL-2.0-only
// What an archive will hold, by path: parents are made, order and ownership do not depend on the host.
// Host files are named when added and read when written, so a large tree costs little until then.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

class FileTree {
 public:
	// Changes what a host file holds on its way into the archive, e.g. drops its debug information.
	using Filter = std::function<std::string(std::string)>;

	// merged_usr: /bin, /sbin, /lib and /lib64 are links into /usr as on Debian, so that two names of one file
	// meet at one path. plain: paths are taken as they are.
	enum class Layout { plain, merged_usr };
	explicit FileTree(Layout layout) : layout_(layout) {}

	// Paths are absolute, as the guest sees them. The first to be added at a path stays.
	void add_directory(std::string_view path, uint32_t mode = 0755);
	void add_text(std::string_view path, std::string contents, uint32_t mode = 0644);
	void add_link(std::string_view path, std::string_view target);
	void add_host_file(std::string_view path, const std::filesystem::path& host_file, uint32_t mode,
			   Filter filter = {});
	bool contains(std::string_view path) const;

	// One newc archive of everything.
	Status write(const std::function<void(std::string_view)>& sink) const;

 private:
	struct Node {
		uint32_t mode;                    // with the file type
		std::string contents;             // or target of a link
		std::filesystem::path host_file;  // empty: contents count
		Filter filter;
	};
	void add(std::string_view path, Node&& node);
	std::string canonical(std::string_view path) const;

	Layout layout_;
	std::map<std::string, Node> nodes_;  // by path without the leading slash
};

// Writes the entries of an archive below `root`, which must exist. Entries cannot reach outside of it:
// a path with "..", or one that leads through a symbolic link, is refused.
Status unpack_archive(std::string_view archive, const std::filesystem::path& root);

}  // namespace punctual
