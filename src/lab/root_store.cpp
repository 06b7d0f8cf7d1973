// SPDX-License-Identifier: GPL-2.0-only
#include "lab/root_store.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "base/fd.h"
#include "base/file_lock.h"
#include "base/process.h"
#include "lab/apt.h"
#include "lab/checked_file.h"
#include "lab/root_recipe.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kMakeLimit{20};     // a minute of work; machines were seen to give a sixth of themselves
constexpr std::chrono::seconds kCleanUpLimit{30};  // mmdebstrap removes what it unpacked
constexpr size_t kKeptBytes = 64 << 10;            // of what it said, for its complaint
constexpr double kSteps = 9;                       // lines "I: ..." that tell of progress, about

// mmdebstrap looks at no setting of this machine's apt; of these it has to know.
Result<std::string> apt_options()
{
	const Captured dump = TRY(run_captured(
	    {"apt-config", "--format", "%F \"%v\";%n", "dump", "Acquire::http", "Acquire::https"}, kCleanUpLimit));
	if (dump.status != 0)
		return fail(ExitCode::lacking, "cannot read the settings of apt: {}", apt_complaint(dump.err));
	return dump.out + "Acquire::Languages \"none\";\nAcquire::Retries \"3\";\n";
}

struct Maker {
	const std::string& what;
	const StoreListener& listener;
	int stop_fd;
	std::string said = {};
	int steps = 0;

	// Takes what mmdebstrap says. False at its end.
	bool take(int fd)
	{
		std::array<char, 4096> buffer;
		const ssize_t got = ::read(fd, buffer.data(), buffer.size());
		if (got <= 0)
			return got < 0 && errno == EINTR;
		const std::string_view bytes(buffer.data(), static_cast<size_t>(got));
		for (size_t at = bytes.find("I: "); at != bytes.npos; at = bytes.find("I: ", at + 1))
			steps++;
		said.append(bytes);
		if (said.size() > 2 * kKeptBytes)
			said.erase(0, said.size() - kKeptBytes);
		if (listener.progress)
			listener.progress(what, std::min(steps / kSteps, 0.99));
		return true;
	}

	Result<int> run(const std::vector<std::string>& argv, const fs::path& work)
	{
		int fds[2];
		if (::pipe2(fds, O_CLOEXEC) != 0)
			return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
		const UniqueFd reader(fds[0]);
		UniqueFd writer(fds[1]);
		SpawnOptions options{.stdout_fd = writer.get(), .stderr_fd = writer.get()};
		// The first: times of files do not depend on the day. mmdebstrap unpacks below TMPDIR.
		options.environment = {"SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C", "TMPDIR=" + work.native()};
		Child child = TRY(Child::spawn(argv, options));
		writer.reset();
		const auto deadline = Clock::now() + kMakeLimit;
		for (bool open = true; open;) {
			std::array<pollfd, 2> fds_of = {pollfd{reader.get(), POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
			::poll(fds_of.data(), fds_of.size(), 1000);
			const bool stopped = fds_of[1].revents != 0;
			if (stopped || Clock::now() > deadline) {
				child.send(SIGTERM);
				TRY(child.wait(kCleanUpLimit));
				return stopped ? fail(ExitCode::interrupted, "interrupted")
					       : fail(ExitCode::failed, "making {} took more than {} minutes", what,
						      kMakeLimit.count());
			}
			if (fds_of[0].revents)
				open = take(reader.get());
		}
		return TRY(child.wait()).value_or(1);
	}
};

Status make_root(const RootRecipe& recipe, const fs::path& archive, const StoreListener& listener, int stop_fd)
{
	const TempDir work = TRY(TempDir::create("punctual-root-"));
	if (::chmod(work.path().c_str(), 0755) != 0)  // apt's download user looks in
		return fail_errno(errno, ExitCode::failed, "cannot open the directory of the new root");
	const fs::path options = work.path() / "apt.conf";
	TRY(replace_file(options, TRY(apt_options())));
	const fs::path fresh = archive.native() + ".new";
	const std::string source = TRY(apt_source_line(recipe.suite));
	const std::string what = fmt::format("a Debian root of {}", recipe.suite);
	Maker maker{what, listener, stop_fd};
	const auto status = maker.run(root_command(recipe, fresh, source, options), work.path());
	std::error_code error;
	if (status && *status == 0)
		return keep_checked(fresh, archive);
	fs::remove(fresh, error);
	if (!status && status.error().what.ends_with("no such program"))
		return fail(ExitCode::lacking, "a Debian root needs mmdebstrap (apt install mmdebstrap)");
	if (!status)
		return std::unexpected(status.error());
	return fail(ExitCode::lacking, "cannot make {}: {} (the lab needs the network once for each root)", what,
		    apt_complaint(maker.said));
}

Result<Root> made_root(const RootRecipe& recipe, const fs::path& cache, const StoreListener& listener, int stop_fd)
{
	const fs::path archive = cache / fmt::format("root-{}.tar", root_name(recipe));
	if (is_intact(archive))
		return Root{archive, std::nullopt};
	// Not the lock of the kernels: a root takes its time.
	const UniqueFd locked = TRY(lock_file(cache / "root-lock", stop_fd));
	if (!is_intact(archive))  // else somebody made it while we waited
		TRY(make_root(recipe, archive, listener, stop_fd));
	return Root{archive, std::nullopt};
}

Result<Root> packed(const fs::path& directory)
{
	TempDir work = TRY(TempDir::create("punctual-root-"));
	const fs::path archive = work.path() / "root.tar";
	const Captured tar =
	    TRY(run_captured({"tar", "--create", "--file", archive.native(), "--directory", directory.native(),
			      "--numeric-owner", "--one-file-system", "--sort=name", "."},
			     kMakeLimit));
	if (tar.status != 0)
		return fail(ExitCode::usage, "cannot read all of the root {}: {}", directory.native(),
			    tar.err.substr(0, tar.err.find('\n')));
	return Root{archive, std::move(work)};
}

}  // namespace

Result<Root> find_root(const std::string& text, const std::vector<std::string>& packages, const fs::path& cache,
		       const StoreListener& listener, int stop_fd)
{
	if (is_root_suite(text))
		return made_root(TRY(root_recipe(text, packages)), cache, listener, stop_fd);
	if (!packages.empty())
		return fail(ExitCode::usage,
			    "packages go into a root that the lab makes (--root bookworm), not into {}", text);
	std::error_code error;
	if (fs::is_directory(text, error))
		return packed(text);
	if (!fs::is_regular_file(text, error))
		return fail(ExitCode::usage,
			    "a root is bookworm, trixie, a directory or a tar archive; there is no '{}'", text);
	return Root{text, std::nullopt};
}

}  // namespace punctual
