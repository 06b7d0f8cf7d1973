// SPDX-License-Identifier: GPL-2.0-only
#include "lab/file_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/fd.h"
#include "base/file.h"
#include "lab/cpio.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

Status write_all(int fd, std::string_view bytes, const fs::path& path)
{
	while (!bytes.empty()) {
		const ssize_t written = ::write(fd, bytes.data(), bytes.size());
		if (written < 0 && errno != EINTR)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot write {}", path.native()));
		bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
	}
	return {};
}

// True when every part of `path` above its last one is a directory and not a link to one.
bool stays_below(const fs::path& root, const fs::path& path)
{
	fs::path walked = root;
	for (const fs::path& part : path.parent_path()) {
		walked /= part;
		struct stat found;
		if (::lstat(walked.c_str(), &found) == 0 && !S_ISDIR(found.st_mode))
			return false;
	}
	return true;
}

Status unpack_entry(const CpioEntry& entry, const fs::path& root)
{
	const fs::path relative = fs::path(entry.path).relative_path();
	for (const fs::path& part : relative)
		if (part == "..")
			return fail(ExitCode::failed, "refused to unpack '{}': it leads outside", entry.path);
	if (!stays_below(root, relative))
		return fail(ExitCode::failed, "refused to unpack '{}': it leads through a link", entry.path);
	const fs::path path = root / relative;
	std::error_code error;
	fs::create_directories(path.parent_path(), error);
	if (S_ISDIR(entry.mode)) {
		if (::mkdir(path.c_str(), (entry.mode & 0777) | 0700) != 0 && errno != EEXIST)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot create {}", path.native()));
		return {};
	}
	::unlink(path.c_str());  // never write through what was there before
	if (S_ISLNK(entry.mode)) {
		if (::symlink(std::string(entry.contents).c_str(), path.c_str()) != 0)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot create {}", path.native()));
		return {};
	}
	const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot create {}", path.native()));
	TRY(write_all(fd.get(), entry.contents, path));
	::fchmod(fd.get(), entry.mode & 0777);
	return {};
}

}  // namespace

std::string FileTree::canonical(std::string_view path) const
{
	std::string clean = fs::path(path).lexically_normal().relative_path().native();
	while (clean.ends_with('/'))
		clean.pop_back();
	if (layout_ == Layout::merged_usr)
		for (std::string_view merged : std::array<std::string_view, 4>{"bin/", "sbin/", "lib/", "lib64/"})
			if (clean.starts_with(merged))
				return "usr/" + clean;
	return clean;
}

void FileTree::add(std::string_view path, Node&& node)
{
	const std::string clean = canonical(path);
	if (clean.empty() || clean == ".")
		return;
	const std::string parent = fs::path(clean).parent_path().native();
	if (!parent.empty())
		add(parent, {S_IFDIR | 0755, {}, {}, {}});
	nodes_.try_emplace(clean, std::move(node));
}

void FileTree::add_directory(std::string_view path, uint32_t mode)
{
	add(path, {S_IFDIR | mode, {}, {}, {}});
}

void FileTree::add_text(std::string_view path, std::string contents, uint32_t mode)
{
	add(path, {S_IFREG | mode, std::move(contents), {}, {}});
}

void FileTree::add_link(std::string_view path, std::string_view target)
{
	add(path, {S_IFLNK | 0777, std::string(target), {}, {}});
}

void FileTree::add_host_file(std::string_view path, const fs::path& host_file, uint32_t mode, Filter filter)
{
	add(path, {S_IFREG | mode, {}, host_file, std::move(filter)});
}

bool FileTree::contains(std::string_view path) const
{
	return nodes_.contains(canonical(path));
}

Status FileTree::write(const std::function<void(std::string_view)>& sink) const
{
	CpioWriter archive(sink);
	for (const auto& [path, node] : nodes_) {  // sorted, so a parent comes before what is in it
		if (node.host_file.empty()) {
			archive.add(path, node.mode, node.contents);
			continue;
		}
		std::string contents = TRY(read_file(node.host_file, kCpioFileBytesMax));
		if (node.filter)
			contents = node.filter(std::move(contents));
		archive.add(path, node.mode, contents);
	}
	archive.finish();
	return {};
}

Status unpack_archive(std::string_view archive, const fs::path& root)
{
	for (const CpioEntry& entry : TRY(read_cpio(archive)))
		TRY(unpack_entry(entry, root));
	return {};
}

}  // namespace punctual
