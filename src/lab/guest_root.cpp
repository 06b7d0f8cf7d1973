// SPDX-License-Identifier: GPL-2.0-only
#include "lab/guest_root.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/process.h"
#include "lab/image.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = "/new-root";
constexpr const char* kOurProgram = "usr/bin/punctual";
constexpr const char* kLibraries = "usr/lib/x86_64-linux-gnu";
constexpr std::chrono::minutes kUnpackLimit{10};
constexpr std::chrono::minutes kTryLimit{2};
constexpr const char* kServiceMark = "PUNCTUAL_ROOT_SERVICE";

// Units that a guest has no use for: logins on the serial port, which is ours; what fetches, cleans and checks from
// time to time; what waits for hardware that is not there, or loads modules, of which the root has none. None is a part
// of what a service could depend on.
constexpr const char* kMasked[] = {
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "console-getty.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "logrotate.timer",
    "man-db.timer",
    "systemd-tmpfiles-clean.timer",
    "systemd-modules-load.service",
    "systemd-pstore.service",
    "proc-sys-fs-binfmt_misc.automount",
};

constexpr const char* kTarget = R"([Unit]
Description=The command of punctual lab
Requires=multi-user.target
Wants=punctual-lab.service
After=multi-user.target
AllowIsolate=yes
)";

// FailureAction: only for a service that could not even speak to the host.
constexpr const char* kService = R"([Unit]
Description=Runs the command of punctual lab
After=multi-user.target
FailureAction=poweroff-force

[Service]
ExecStart=/usr/bin/punctual lab-init
StandardOutput=journal+console
StandardError=journal+console
)";

Status mount_at(const char* type, const fs::path& where, const char* options)
{
	::mkdir(where.c_str(), 0755);
	if (::mount(type, where.c_str(), type, MS_NOSUID, options) != 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot mount {}", where.native()));
	return {};
}

std::string last_line(std::string text)
{
	while (text.ends_with('\n'))
		text.pop_back();
	return text.substr(text.rfind('\n') + 1);
}

Status unpack_root()
{
	const Captured tar =
	    TRY(run_captured({"busybox", "tar", "-x", "-f", kGuestRootArchive, "-C", kRoot.native()}, kUnpackLimit));
	if (tar.status == 0) {
		::unlink(kGuestRootArchive);  // gives its memory back
		return {};
	}
	const std::string complaint = last_line(tar.err);
	const bool full = complaint.find("No space left") != complaint.npos;
	return fail(ExitCode::failed, "cannot unpack the root: {}{}", complaint,
		    full ? " (it needs more memory: --memory)" : "");
}

// Our program, and those of its libraries that the root does not have itself.
Status bring_program()
{
	std::error_code error;
	const fs::path libraries = fs::path("/") / kLibraries;
	fs::create_directories(kRoot / kLibraries, error);
	for (const auto& entry : fs::directory_iterator(libraries, error)) {
		const fs::path into = kRoot / kLibraries / entry.path().filename();
		if (fs::symlink_status(into, error).type() == fs::file_type::not_found)
			fs::copy_file(entry.path(), into, error);
	}
	fs::copy_file(fs::path("/") / kOurProgram, kRoot / kOurProgram, fs::copy_options::overwrite_existing, error);
	if (error)
		return fail(ExitCode::failed, "cannot put our program into the root: {}", error.message());
	const Captured tried =
	    TRY(run_captured({"busybox", "chroot", kRoot.native(), "/usr/bin/punctual", "--version"}, kTryLimit));
	if (tried.status != 0)
		return fail(ExitCode::failed, "our program does not run in the root: {}", last_line(tried.err));
	return {};
}

// The parameters that the kernel handed us as environment, which systemd would keep for itself.
std::string service_text()
{
	std::string text = kService;
	text += fmt::format("Environment={}=1\n", kServiceMark);
	for (const char* name : {"PUNCTUAL_TIME", "PUNCTUAL_SETTLE_NS"})
		if (const char* value = std::getenv(name))
			text += fmt::format("Environment={}={}\n", name, value);
	return text;
}

Status put_units()
{
	const fs::path units = kRoot / "etc/systemd/system";
	std::error_code error;
	fs::create_directories(units, error);
	TRY(replace_file(units / "punctual-lab.target", kTarget));
	TRY(replace_file(units / "punctual-lab.service", service_text()));
	::unlink((units / "default.target").c_str());
	fs::create_symlink("punctual-lab.target", units / "default.target", error);
	for (const char* unit : kMasked) {
		::unlink((units / unit).c_str());
		fs::create_symlink("/dev/null", units / unit, error);
	}
	// An identity, because without one systemd takes this for the first boot of all and sets up every unit anew.
	const fs::path id = kRoot / "etc/machine-id";
	if (read_line(id).value_or("").size() != 32)
		TRY(replace_file(id, "70756e637475616c0000000000000001\n"));
	TRY(replace_file(kRoot / "etc/hostname", "lab\n"));
	for (const char* directory : {kGuestHome, kGuestOut})
		fs::create_directories(kRoot.native() + directory, error);
	return {};
}

// The root takes the place of the first file system, below which it is mounted: so programs can make roots of their own
// (pivot_root), which services with a private view of files do.
Status switch_root()
{
	for (const char* path : {"/proc", "/sys", "/dev"}) {
		const fs::path into = kRoot.native() + path;
		::mkdir(into.c_str(), 0755);
		if (::mount(path, into.c_str(), nullptr, MS_MOVE, nullptr) != 0)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot move {}", path));
	}
	if (::chdir(kRoot.c_str()) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
	    ::chdir("/") != 0)
		return fail_errno(errno, ExitCode::failed, "cannot enter the root");
	return {};
}

}  // namespace

Status enter_root()
{
	TRY(mount_at("proc", "/proc", ""));
	TRY(mount_at("sysfs", "/sys", ""));
	TRY(mount_at("devtmpfs", "/dev", ""));
	::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	::mkdir(kRoot.c_str(), 0755);
	if (::mount("tmpfs", kRoot.c_str(), "tmpfs", 0, "mode=755,size=80%") != 0)
		return fail_errno(errno, ExitCode::failed, "cannot make a file system for the root");
	TRY(unpack_root());
	std::error_code error;
	if (fs::symlink_status(kRoot / "sbin/init", error).type() == fs::file_type::not_found)
		return fail(ExitCode::failed, "the root has no /sbin/init (its package is systemd-sysv)");
	TRY(bring_program());
	TRY(put_units());
	TRY(switch_root());
	for (const char* name : {"PUNCTUAL_TIME", "PUNCTUAL_SETTLE_NS"})
		::unsetenv(name);
	::execl("/sbin/init", "/sbin/init", nullptr);
	return fail_errno(errno, ExitCode::failed, "cannot start /sbin/init of the root");
}

bool is_root_service()
{
	return std::getenv(kServiceMark) != nullptr;
}

}  // namespace punctual
