// SPDX-License-Identifier: GPL-2.0-only
#include "lab/kernel_store.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/file.h"
#include "base/file_lock.h"
#include "lab/apt.h"
#include "lab/bzimage.h"
#include "lab/checksum.h"
#include "lab/kernel_table.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

fs::path stored_kernel(const fs::path& cache, std::string_view version)
{
	return cache / fmt::format("vmlinux-{}", version);
}

fs::path checksum_of(const fs::path& kernel)
{
	return kernel.native() + ".sha256";
}

// Present and unchanged since it was stored. A damaged kernel would show as a guest that does not boot.
bool is_intact(const fs::path& kernel)
{
	const auto expected = read_line(checksum_of(kernel));
	if (!expected)
		return false;
	const auto actual = sha256(kernel);
	return actual && *actual == *expected;
}

Kernel stored(const fs::path& cache, const std::string& version)
{
	const fs::path kernel = stored_kernel(cache, version);
	return {version, kernel, read_line(checksum_of(kernel)).value_or("")};
}

Status store(const fs::path& kernel, std::string_view contents)
{
	const fs::path fresh = kernel.native() + ".new";
	TRY(replace_file(fresh, contents));
	const std::string sum = TRY(sha256(fresh));
	// The checksum goes first: a crash between the two leaves a mismatch, which is fetched again.
	TRY(replace_file(checksum_of(kernel), sum + "\n"));
	if (::rename(fresh.c_str(), kernel.c_str()) != 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot write {}", kernel.native()));
	return {};
}

// The newest intact kernel of a series that is already here.
std::string stored_version(const fs::path& cache, std::string_view series)
{
	constexpr std::string_view kPrefix = "vmlinux-";
	std::string newest;
	std::error_code error;
	for (const auto& entry : fs::directory_iterator(cache, error)) {
		const std::string name = entry.path().filename();
		const std::string version = name.substr(std::min(kPrefix.size(), name.size()));
		const bool is_kernel = name.starts_with(kPrefix) && is_kernel_version(version);
		if (is_kernel && series_of(version) == series && (newest.empty() || older_version(newest, version)) &&
		    is_intact(entry.path()))
			newest = version;
	}
	return newest;
}

Status fetch(const KernelPackage& choice, const fs::path& cache, AptState& apt, const StoreListener& listener)
{
	const TempDir work = TRY(TempDir::create("punctual-kernel-"));
	const std::string what = fmt::format("kernel {}", choice.version);
	const fs::path package = TRY(apt.download(choice.package, work.path(), [&](double fraction) {
		if (listener.progress)
			listener.progress(what, fraction);
	}));
	const fs::path image = TRY(extract_kernel_image(package, work.path()));
	return store(stored_kernel(cache, choice.version), TRY(unpack_kernel(TRY(read_file(image)))));
}

}  // namespace

Result<fs::path> lab_cache()
{
	fs::path cache;
	if (const char* given = std::getenv("PUNCTUAL_CACHE"); given && *given) {
		cache = given;
	} else if (const char* user = std::getenv("XDG_CACHE_HOME"); user && *user) {
		cache = fs::path(user) / "punctual" / "lab";
	} else {
		const char* home = std::getenv("HOME");
		const passwd* entry = home && *home ? nullptr : ::getpwuid(::getuid());
		if (entry)
			home = entry->pw_dir;
		if (!home || !*home)
			return fail(ExitCode::lacking, "no home directory for the lab's cache (set PUNCTUAL_CACHE)");
		cache = fs::path(home) / ".cache" / "punctual" / "lab";
	}
	cache = fs::absolute(cache);
	std::error_code error;
	fs::create_directories(cache, error);
	if (error)
		return fail(ExitCode::lacking, "cannot create the lab's cache {}: {} (set PUNCTUAL_CACHE)",
			    cache.native(), error.message());
	return cache;
}

Result<Kernel> find_kernel(std::string_view text, const fs::path& cache, const StoreListener& listener, int stop_fd)
{
	const std::string wanted = TRY(wanted_kernel(text));
	if (is_intact(stored_kernel(cache, wanted)))
		return stored(cache, wanted);

	const UniqueFd locked = TRY(lock_file(cache / "lock", stop_fd));
	if (is_intact(stored_kernel(cache, wanted)))  // somebody else fetched it while we waited
		return stored(cache, wanted);
	const auto note = [&](std::string_view line) {
		if (listener.note)
			listener.note(line);
	};
	const std::string_view suite = suite_of_kernel(wanted);
	AptState apt = TRY(AptState::open(cache / fmt::format("apt-{}", suite), suite, stop_fd));
	const auto offered = apt.kernel_packages(wanted);
	if (!offered) {
		const std::string other = stored_version(cache, series_of(wanted));
		if (other.empty())
			return std::unexpected(offered.error());
		note(fmt::format("cannot fetch kernel {}, using {} from the cache", wanted, other));
		return stored(cache, other);
	}
	const KernelPackage choice = TRY(choose_kernel(wanted, *offered));
	if (choice.version != wanted)
		note(fmt::format("the Debian archive no longer offers kernel {}, using {}", wanted, choice.version));
	if (!is_intact(stored_kernel(cache, choice.version)))
		TRY(fetch(choice, cache, apt, listener));
	return stored(cache, choice.version);
}

}  // namespace punctual
