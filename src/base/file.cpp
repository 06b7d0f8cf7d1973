// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/fd.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

// A refused access is something that the user's session lacks; anything else is a plain failure.
std::unexpected<Error> file_error(int error_number, const char* verb, const fs::path& path)
{
	const bool refused = error_number == EACCES || error_number == EPERM || error_number == EROFS;
	return fail_errno(error_number, refused ? ExitCode::lacking : ExitCode::failed,
			  fmt::format("cannot {} {}", verb, path.native()));
}

Status write_all(int fd, std::string_view text, const fs::path& path)
{
	while (!text.empty()) {
		const ssize_t written = ::write(fd, text.data(), text.size());
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return file_error(errno, "write", path);
		text.remove_prefix(static_cast<size_t>(written));
	}
	return {};
}

// The umask can only be read by changing it, which other threads would see; 0644 suits everything we write.
Status fill_and_rename(UniqueFd fd, const fs::path& temporary, const fs::path& path, std::string_view contents)
{
	TRY(write_all(fd.get(), contents, temporary));
	if (::fchmod(fd.get(), 0644) != 0)
		return file_error(errno, "set the mode of", temporary);
	std::error_code unknown;  // then rename tells
	if (fs::is_directory(path, unknown))
		return fail(ExitCode::usage, "cannot write {}: it is a directory", path.native());
	if (::rename(temporary.c_str(), path.c_str()) != 0)
		return file_error(errno, "write", path);
	return {};
}

}  // namespace

Result<std::string> read_file(const fs::path& path, size_t size_max)
{
	const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
	if (!fd)
		return file_error(errno, "open", path);
	// Kernel files give no size in advance, so read until the end.
	std::string contents;
	size_t used = 0;
	for (;;) {
		if (contents.size() - used < 4096)
			contents.resize(std::max<size_t>(16384, contents.size() * 2));
		const ssize_t got = ::read(fd.get(), contents.data() + used, contents.size() - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_error(errno, "read", path);
		if (got == 0)
			break;
		used += static_cast<size_t>(got);
		if (used > size_max)
			return fail(ExitCode::failed, "cannot read {}: larger than {} bytes", path.native(), size_max);
	}
	contents.resize(used);
	return contents;
}

Result<std::string> read_line(const fs::path& path)
{
	std::string text = TRY(read_file(path, 1UL << 20));
	text.erase(text.find_last_not_of(" \t\r\n") + 1);
	return text;
}

Status write_kernel_file(const fs::path& path, std::string_view text)
{
	const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
	if (!fd)
		return file_error(errno, "open", path);
	const ssize_t written = ::write(fd.get(), text.data(), text.size());
	if (written < 0)
		return file_error(errno, "write", path);
	if (static_cast<size_t>(written) != text.size())
		return fail(ExitCode::failed, "cannot write {}: the kernel took {} of {} bytes", path.native(), written,
			    text.size());
	return {};
}

Status replace_file(const fs::path& path, std::string_view contents)
{
	std::string temporary = path.native() + ".XXXXXX";  // same directory, so that rename is atomic
	UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
	if (!fd && (errno == ENOENT || errno == ENOTDIR))
		return fail(ExitCode::usage, "cannot create {}: there is no such directory", path.native());
	if (!fd)
		return file_error(errno, "create", path);
	Status status = fill_and_rename(std::move(fd), temporary, path, contents);
	if (!status)
		::unlink(temporary.c_str());
	return status;
}

Status sync_file(const fs::path& path)
{
	for (const fs::path& each : {path, path.parent_path()}) {
		const UniqueFd fd(::open(each.c_str(), O_RDONLY | O_CLOEXEC));
		if (!fd || ::fsync(fd.get()) != 0)
			return file_error(errno, "have on the disk", each);
	}
	return {};
}

Result<TempDir> TempDir::create(std::string_view prefix)
{
	const char* parent = ::getenv("TMPDIR");
	std::string path = fmt::format("{}/{}XXXXXX", parent && *parent ? parent : "/tmp", prefix);
	if (!::mkdtemp(path.data()))
		return file_error(errno, "create the directory", path);
	return TempDir(path);
}

TempDir::~TempDir()
{
	std::error_code ignored;  // a destructor has nobody to tell; what is left lies under /tmp
	if (!path_.empty())
		fs::remove_all(path_, ignored);
}

}  // namespace punctual
