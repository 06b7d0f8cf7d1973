// SPDX-License-Identifier: GPL-2.0-only
#include "lab/text_port.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace punctual {

std::string path_for_qemu(int fd)
{
	return fmt::format("/proc/{}/fd/{}", ::getpid(), fd);
}

Result<TextPort> TextPort::create(const std::filesystem::path& file)
{
	UniqueFd output(file.empty() ? ::memfd_create("punctual-port", MFD_CLOEXEC)
				     : ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	if (!output)
		return fail_errno(errno, ExitCode::usage, fmt::format("cannot write '{}'", file.native()));
	int fds[2];
	if (::pipe2(fds, O_CLOEXEC) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
	return TextPort(std::move(output), UniqueFd(fds[0]), UniqueFd(fds[1]));
}

std::string TextPort::chardev(std::string_view id) const
{
	return fmt::format("file,id={},path={},append=on,input-path={}", id, path_for_qemu(output_.get()),
			   path_for_qemu(reader_.get()));
}

void TextPort::type(std::string_view input) const
{
	(void)!::write(input_.get(), input.data(), input.size());  // far below what a pipe holds
}

void TextPort::prefill(std::string_view output) const
{
	(void)!::pwrite(output_.get(), output.data(), output.size(), 0);
}

std::string TextPort::text() const
{
	std::string contents;
	char buffer[16384];
	for (ssize_t got;
	     (got = ::pread(output_.get(), buffer, sizeof(buffer), static_cast<off_t>(contents.size()))) > 0;)
		contents.append(buffer, static_cast<size_t>(got));
	return contents;
}

}  // namespace punctual
