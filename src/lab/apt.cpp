// SPDX-License-Identifier: GPL-2.0-only
#include "lab/apt.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "lab/apt_sources.h"
#include "lab/kernel_table.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kDefaultArchive = "http://deb.debian.org/debian";
constexpr seconds kUpdateAfter = std::chrono::hours(24);
constexpr seconds kUpdateAgainAfter = std::chrono::hours(1);

Result<std::string> keyring()
{
	for (const char* path :
	     {"/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"})
		if (::access(path, R_OK) == 0)
			return path;
	return fail(ExitCode::lacking,
		    "the keys of the Debian archive are missing (apt install debian-archive-keyring)");
}

std::string archive_of_this_machine()
{
	std::vector<AptSourceFile> files;
	const auto take = [&](const fs::path& path) {
		const bool deb822 = path.extension() == ".sources";
		if (!deb822 && path.extension() != ".list")
			return;
		if (auto text = read_file(path))
			files.push_back({deb822, std::move(*text)});
	};
	take("/etc/apt/sources.list");
	std::vector<fs::path> parts;
	std::error_code error;
	for (const auto& entry : fs::directory_iterator("/etc/apt/sources.list.d", error))
		parts.push_back(entry.path());
	std::ranges::sort(parts);
	std::ranges::for_each(parts, take);
	return debian_archive(files).value_or(std::string(kDefaultArchive));
}

seconds age(const fs::path& file)
{
	struct stat info;
	if (::stat(file.c_str(), &info) != 0)
		return seconds::max();
	return seconds(std::max<time_t>(0, std::time(nullptr) - info.st_mtime));
}

// "dlstatus:1:45.2:Retrieving file 1 of 1 (3s remaining)"
void report_progress(std::string& pending, const std::function<void(double)>& progress)
{
	for (size_t end; (end = pending.find('\n')) != pending.npos; pending.erase(0, end + 1)) {
		const std::string_view line = std::string_view(pending).substr(0, end);
		const size_t second = line.starts_with("dlstatus:") ? line.find(':', 9) : line.npos;
		double percent = 0;
		if (second != line.npos &&
		    std::from_chars(line.data() + second + 1, line.data() + line.size(), percent).ec == std::errc())
			progress(percent / 100);
	}
}

// What tar finds in a package by these words. It complains about a pattern that fits nothing, so its status says
// little.
Status extract(const fs::path& package, const fs::path& into, const std::vector<std::string>& words)
{
	int fds[2];
	if (::pipe2(fds, O_CLOEXEC) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
	UniqueFd reader(fds[0]);
	UniqueFd writer(fds[1]);
	const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
	Child unpacker = TRY(Child::spawn({"dpkg-deb", "--fsys-tarfile", package.native()},
					  {.stdout_fd = writer.get(), .stderr_fd = null.get()}));
	writer.reset();
	std::vector<std::string> argv = {"tar", "-x", "-C", into.native()};
	argv.insert(argv.end(), words.begin(), words.end());
	Child tar = TRY(Child::spawn(argv, {.stdin_fd = reader.get(), .stderr_fd = null.get()}));
	reader.reset();
	TRY(tar.wait());
	const int status = TRY(unpacker.wait()).value_or(1);
	return status == 0 ? Status() : fail(ExitCode::failed, "cannot unpack {}", package.filename().native());
}

}  // namespace

std::string apt_complaint(std::string_view text)
{
	for (std::string_view mark : {"E: ", "W: ", "Err:"}) {
		const size_t at = text.starts_with(mark) ? 0 : text.find(fmt::format("\n{}", mark));
		if (at == text.npos)
			continue;
		const size_t from = text.find(mark, at) + mark.size();
		return std::string(text.substr(from, text.find('\n', from) - from));
	}
	return "no reason given";
}

Result<std::string> apt_source_line(std::string_view suite)
{
	return fmt::format("deb [arch=amd64 signed-by={}] {} {} main", TRY(keyring()), archive_of_this_machine(),
			   suite);
}

Result<AptState> AptState::open(const fs::path& directory, std::string_view suite, int stop_fd)
{
	for (const char* part : {"lists/partial", "archives/partial"}) {
		std::error_code error;
		fs::create_directories(directory / part, error);
		if (error)
			return fail(ExitCode::lacking, "cannot create {}: {}", (directory / part).native(),
				    error.message());
	}
	TRY(replace_file(directory / "sources.list", TRY(apt_source_line(suite)) + "\n"));
	// Read after the system's configuration, so proxies stay; its hooks are cleared because they act on the system.
	TRY(replace_file(directory / "apt.conf", fmt::format(R"(#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::SourceList "{0}/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "{0}/lists";
Dir::Cache::Archives "{0}/archives";
Dir::Cache::pkgcache "{0}/packages.bin";
Dir::Cache::srcpkgcache "{0}/sources.bin";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
)",
							     directory.native())));
	return AptState(directory, stop_fd);
}

std::vector<std::string> AptState::command(std::string_view program) const
{
	return {"env", "LC_ALL=C", std::string(program), "-q", "-c", (directory_ / "apt.conf").native()};
}

Status AptState::update()
{
	std::vector<std::string> argv = command("apt-get");
	argv.insert(argv.end(), {"-o", "APT::Update::Error-Mode=any", "update"});
	const auto updated = run_captured(argv, minutes(5));
	if (!updated || updated->status != 0)
		return fail(ExitCode::lacking,
			    "cannot reach the Debian archive: {} (the lab needs the network once for each kernel)",
			    updated ? apt_complaint(updated->err) : updated.error().what);
	return replace_file(directory_ / "updated", "");
}

Result<std::vector<std::string>> AptState::known_packages() const
{
	std::vector<std::string> argv = command("apt-cache");
	argv.insert(argv.end(), {"pkgnames", "linux-"});
	const Captured listing = TRY(run_captured(argv, minutes(1)));
	std::vector<std::string> names;
	std::string_view rest = listing.out;
	while (!rest.empty()) {
		names.emplace_back(rest.substr(0, rest.find('\n')));
		rest.remove_prefix(std::min(names.back().size() + 1, rest.size()));
	}
	return names;
}

Result<std::vector<std::string>> AptState::kernel_packages(std::string_view wanted_version)
{
	const seconds since = age(directory_ / "updated");
	if (since > kUpdateAfter) {
		TRY(update());
		return known_packages();
	}
	std::vector<std::string> names = TRY(known_packages());
	if (is_offered(wanted_version, names) || since < kUpdateAgainAfter)
		return names;
	TRY(update());
	return known_packages();
}

Result<fs::path> AptState::download(const std::string& package, const fs::path& into,
				    const std::function<void(double)>& progress)
{
	int fds[2];
	if (::pipe2(fds, O_CLOEXEC) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
	const UniqueFd reader(fds[0]);
	UniqueFd writer(fds[1]);
	const fs::path errors = into / "errors";
	const UniqueFd errors_fd(::open(errors.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	// apt-get puts the package into its working directory.
	std::vector<std::string> argv = {"env", "-C", into.native()};
	const std::vector<std::string> apt = command("apt-get");
	argv.insert(argv.end(), apt.begin() + 1, apt.end());
	argv.insert(argv.end(), {"-o", "APT::Status-Fd=1", "download", package});
	Child child = TRY(Child::spawn(argv, {.stdout_fd = writer.get(), .stderr_fd = errors_fd.get()}));
	writer.reset();
	std::string pending;
	std::array<char, 4096> buffer;
	for (;;) {
		std::array<pollfd, 2> fds = {pollfd{reader.get(), POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
		if (::poll(fds.data(), fds.size(), -1) < 0)
			continue;
		if (fds[1].revents)  // the child ends with its object
			return fail(ExitCode::interrupted, "interrupted");
		const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		pending.append(buffer.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
		report_progress(pending, progress);
	}
	const int status = TRY(child.wait()).value_or(1);
	std::error_code error;
	for (const auto& entry : fs::directory_iterator(into, error))
		if (status == 0 && entry.path().extension() == ".deb")
			return entry.path();
	return fail(ExitCode::lacking, "cannot fetch {}: {} (the lab needs the network once for each kernel)", package,
		    apt_complaint(read_file(errors).value_or("")));
}

Result<fs::path> extract_kernel_image(const fs::path& package, const fs::path& into)
{
	// Only the image: the modules in the older packages are 100 MB that hardly anybody needs.
	TRY(extract(package, into, {"--wildcards", "*/vmlinuz*"}));
	std::error_code error;
	for (const auto& entry : fs::recursive_directory_iterator(into, error))
		if (entry.is_regular_file() && entry.path().filename().native().starts_with("vmlinuz"))
			return entry.path();
	return fail(ExitCode::failed, "no kernel image in the package {}", package.filename().native());
}

Status extract_modules(const fs::path& package, const fs::path& into)
{
	TRY(extract(package, into, {"--transform", "s,.*/,,", "--wildcards", "*.ko", "*.ko.xz"}));
	std::error_code error;
	if (fs::is_empty(into, error) || error)
		return fail(ExitCode::failed, "no kernel modules in the package {}", package.filename().native());
	return {};
}

}  // namespace punctual
