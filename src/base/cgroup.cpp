// SPDX-License-Identifier: GPL-2.0-only
#include "base/cgroup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/file.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

// Limits of the search for a unit by name, and of the wait for killed processes to leave.
constexpr int kDepthMax = 8;
constexpr int kDirectoriesMax = 20'000;
constexpr int kRemoveTries = 500;
constexpr std::chrono::milliseconds kRemovePause{10};

constexpr const char* kOwnerAttribute = "user.punctual_owner";
constexpr std::string_view kOwner = "run";  // its value, and a note behind it
constexpr size_t kNoteMax = 4096;

std::vector<std::string_view> split(std::string_view text, char separator)
{
	std::vector<std::string_view> parts;
	while (!text.empty()) {
		const size_t end = std::min(text.find(separator), text.size());
		if (end > 0)
			parts.push_back(text.substr(0, end));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return parts;
}

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text)
{
	std::string out;
	for (size_t at = 0; at < text.size(); at++) {
		int value = 0;
		const char* digits = text.data() + at + 1;
		if (text[at] == '\\' && at + 3 < text.size() &&
		    std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
			out += static_cast<char>(value);
			at += 3;
		} else {
			out += text[at];
		}
	}
	return out;
}

bool directory_exists(const fs::path& path)
{
	std::error_code ignored;
	return fs::is_directory(path, ignored);
}

bool is_below(const fs::path& path, const fs::path& mount)
{
	const auto [rest, unused] = std::mismatch(mount.begin(), mount.end(), path.begin(), path.end());
	return rest == mount.end();
}

// systemd nests slices by the dashes of their names: a-b.slice lies in a.slice/a-b.slice.
fs::path slice_path(std::string_view unit)
{
	const std::string_view stem = unit.substr(0, unit.size() - std::string_view(".slice").size());
	fs::path path;
	if (stem == "-")
		return path;  // the root slice is the mount itself
	for (size_t dash = stem.find('-'); dash != std::string_view::npos; dash = stem.find('-', dash + 1))
		path /= std::string(stem.substr(0, dash)) + ".slice";
	return path / unit;
}

bool is_unit_name(std::string_view name)
{
	return name.find('/') == std::string_view::npos &&
	       (name.ends_with(".slice") || name.ends_with(".service") || name.ends_with(".scope"));
}

// Every cgroup of that name, looking no deeper and no longer than the limits above.
std::vector<fs::path> walk_for(const fs::path& mount, std::string_view unit)
{
	std::vector<fs::path> found;
	std::error_code error;  // a cgroup may vanish while we look
	const auto skip = fs::directory_options::skip_permission_denied;
	int seen = 0;
	for (auto entry = fs::recursive_directory_iterator(mount, skip, error); entry != fs::end(entry) && !error;
	     entry.increment(error)) {
		std::error_code vanished;
		if (!entry->is_directory(vanished))
			continue;
		if (entry->path().filename() == unit)
			found.push_back(entry->path());
		if (entry.depth() >= kDepthMax)
			entry.disable_recursion_pending();
		if (++seen >= kDirectoriesMax)
			break;
	}
	return found;
}

Result<fs::path> find_unit(const fs::path& mount, std::string_view unit)
{
	fs::path usual = unit.ends_with(".slice") ? mount / slice_path(unit) : mount / "system.slice" / unit;
	if (directory_exists(usual))
		return usual;
	const std::vector<fs::path> found = walk_for(mount, unit);
	if (found.size() > 1)
		return fail(ExitCode::usage, "cgroup '{}' is ambiguous: {} and {} (give the path)", unit,
			    found[0].native(), found[1].native());
	if (found.empty())
		return fail(ExitCode::usage, "no cgroup of unit '{}' below {} (is it started? see systemctl status {})",
			    unit, mount.native(), unit);
	return found.front();
}

// A removed cgroup needs its descendants removed first; programs in it may have made some.
void remove_tree(const fs::path& directory, int depth)
{
	std::error_code error;
	if (depth < kDepthMax)
		for (auto entry = fs::directory_iterator(directory, error); entry != fs::end(entry) && !error;
		     entry.increment(error)) {
			std::error_code vanished;
			if (entry->is_directory(vanished))
				remove_tree(entry->path(), depth + 1);
		}
	::rmdir(directory.c_str());
}

// Kills what runs in it. Killed processes leave asynchronously, and rmdir says EBUSY until the last is gone.
bool remove_cgroup(const fs::path& path)
{
	(void)write_kernel_file(path / "cgroup.kill", "1");
	for (int tries = 0; tries < kRemoveTries; tries++) {
		if (::rmdir(path.c_str()) == 0 || errno == ENOENT)
			return true;
		remove_tree(path, 0);
		std::this_thread::sleep_for(kRemovePause);
	}
	return false;
}

// Held by the owner and the processes that it forks. Empty: somebody else has it, or there is no such directory.
UniqueFd lock_directory(const fs::path& path)
{
	UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (directory && ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0)
		return {};
	return directory;
}

bool is_left_behind(const fs::path& path)
{
	return ::getxattr(path.c_str(), kOwnerAttribute, nullptr, 0) >= 0 && lock_directory(path);
}

Status refuse_escape(std::string_view name)
{
	const std::vector<std::string_view> parts = split(name, '/');
	if (parts.empty() && name != "/")
		return fail(ExitCode::usage, "the name of a cgroup is missing");
	if (std::find(parts.begin(), parts.end(), "..") != parts.end())
		return fail(ExitCode::usage, "cgroup '{}': '..' is not allowed, write the path from the top", name);
	return {};
}

}  // namespace

Result<fs::path> cgroup2_mount()
{
	return cgroup2_mount_in(TRY(read_file("/proc/self/mountinfo")));
}

Result<fs::path> cgroup2_mount_in(std::string_view mountinfo)
{
	// "36 35 98:0 /root /mount/point options [tags ...] - TYPE source superoptions"
	for (const std::string_view line : split(mountinfo, '\n')) {
		const size_t dash = line.find(" - ");
		if (dash == std::string_view::npos)
			continue;
		const std::vector<std::string_view> left = split(line.substr(0, dash), ' ');
		const std::vector<std::string_view> right = split(line.substr(dash + 3), ' ');
		if (left.size() >= 5 && !right.empty() && right[0] == "cgroup2")
			return fs::path(unescape(left[4]));
	}
	return fail(ExitCode::lacking, "cgroup2 is not mounted (as root: mount -t cgroup2 none /sys/fs/cgroup)");
}

Result<fs::path> find_cgroup(std::string_view name)
{
	return find_cgroup_below(TRY(cgroup2_mount()), name);
}

Result<fs::path> find_cgroup_below(const fs::path& mount, std::string_view name)
{
	TRY(refuse_escape(name));
	while (name.size() > 1 && name.ends_with('/'))
		name.remove_suffix(1);
	fs::path path(name);
	if (path.is_absolute() && is_below(path, mount) && directory_exists(path))
		return path;
	// Below the mount; also with a leading slash, as /proc/PID/cgroup prints it.
	const fs::path relative = path.relative_path();
	if (directory_exists(mount / relative))
		return relative.empty() ? mount : mount / relative;
	if (is_unit_name(name))
		return find_unit(mount, name);
	return fail(ExitCode::usage, "no cgroup '{}' below {} (ls {} shows what there is)", name, mount.native(),
		    mount.native());
}

Result<uint64_t> cgroup_id(const fs::path& directory)
{
	struct stat status;
	if (::stat(directory.c_str(), &status) != 0)
		return fail_errno(errno, ExitCode::failed,
				  fmt::format("cannot find the id of cgroup {}", directory.native()));
	return status.st_ino;
}

Result<std::optional<fs::path>> cgroup_by_id(uint64_t id)
{
	// The file handle of a cgroup is its id (FILEID_KERNFS of the kernel's exportfs.h).
	constexpr int kFileIdKernfs = 0xfe;
	const UniqueFd mount(::open(TRY(cgroup2_mount()).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	alignas(file_handle) char space[sizeof(file_handle) + sizeof(id)] = {};
	auto* handle = reinterpret_cast<file_handle*>(space);
	handle->handle_bytes = sizeof(id);
	handle->handle_type = kFileIdKernfs;
	std::memcpy(handle->f_handle, &id, sizeof(id));
	const UniqueFd directory(::open_by_handle_at(mount.get(), handle, O_PATH | O_CLOEXEC));
	if (!directory && (errno == ESTALE || errno == ENOENT))
		return std::nullopt;
	if (!directory)
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot find cgroup id {} (run as root)", id));
	std::error_code error;
	fs::path path = fs::read_symlink(fmt::format("/proc/self/fd/{}", directory.get()), error);
	if (error)
		return fail_errno(error.value(), ExitCode::failed, fmt::format("cannot find cgroup id {}", id));
	// A directory that somebody holds open outlives its removal for a moment.
	if (!directory_exists(path))
		return std::nullopt;
	return path;
}

Result<uint64_t> cgroup_cpu_usage_us(const fs::path& directory)
{
	constexpr std::string_view kKey = "usage_usec ";
	const fs::path file = directory / "cpu.stat";
	const std::string text = TRY(read_file(file));
	for (const std::string_view line : split(text, '\n')) {
		uint64_t usage_us = 0;
		if (line.starts_with(kKey) &&
		    std::from_chars(line.data() + kKey.size(), line.data() + line.size(), usage_us).ec == std::errc())
			return usage_us;
	}
	return fail(ExitCode::lacking, "{} has no usage_usec", file.native());
}

std::optional<std::string> note_left_behind(std::string_view name)
{
	const auto mount = cgroup2_mount();
	if (!mount || !refuse_escape(name))
		return std::nullopt;
	const fs::path path = *mount / fs::path(name).relative_path();
	if (!is_left_behind(path))
		return std::nullopt;
	std::array<char, kNoteMax> value;
	const ssize_t size = ::getxattr(path.c_str(), kOwnerAttribute, value.data(), value.size());
	const std::string_view text(value.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
	return std::string(text.starts_with(kOwner) ? text.substr(kOwner.size()) : "");
}

Result<ScopedCgroup> ScopedCgroup::create(std::string_view name, std::string_view note)
{
	TRY(refuse_escape(name));
	const fs::path mount = TRY(cgroup2_mount());
	const fs::path path = mount / fs::path(name).relative_path();
	if (is_left_behind(path))
		remove_cgroup(path);
	if (::mkdir(path.c_str(), 0755) == 0) {
		UniqueFd lock = lock_directory(path);
		// Where that is not possible the next run refuses what a killed one leaves. It comes before anything
		// else is changed, so that what is changed can be put back.
		const std::string owner = fmt::format("{}{}", kOwner, note);
		if (lock)
			(void)::fsetxattr(lock.get(), kOwnerAttribute, owner.data(), owner.size(), 0);
		// From the top down. Hybrid machines have the cpu controller on version 1: then go on without it.
		fs::path parent = mount;
		for (const fs::path& part : path.lexically_relative(mount)) {
			(void)write_kernel_file(parent / "cgroup.subtree_control", "+cpu");
			parent /= part;
		}
		return ScopedCgroup(path, std::move(lock));
	}
	if (errno == EEXIST)
		return fail(ExitCode::failed,
			    "cgroup {} exists already: another run is using it, or left it behind (rmdir it)",
			    path.native());
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return fail_errno(errno, ExitCode::lacking,
				  fmt::format("cannot create cgroup {} (run as root)", path.native()));
	return fail_errno(errno, ExitCode::failed, fmt::format("cannot create cgroup {}", path.native()));
}

ScopedCgroup::~ScopedCgroup()
{
	if (!path_.empty())
		remove_cgroup(path_);
}

Status ScopedCgroup::add(pid_t pid) const
{
	return write("cgroup.procs", std::to_string(pid));
}

Status ScopedCgroup::write(std::string_view file, std::string_view value) const
{
	return write_kernel_file(path_ / file, value);
}

}  // namespace punctual
