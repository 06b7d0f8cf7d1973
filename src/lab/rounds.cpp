// SPDX-License-Identifier: GPL-2.0-only
#include "lab/rounds.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <string_view>

#include "base/process.h"
#include "lab/console_tail.h"
#include "lab/text_port.h"

extern "C" const char rounds_plugin_object_begin[];
extern "C" const char rounds_plugin_object_end[];

namespace punctual {
namespace {

// What is shorter than that cannot be told between CPUs.
constexpr int kRoundNs = 1000;

std::string_view plugin_bytes()
{
	return {rounds_plugin_object_begin, static_cast<size_t>(rounds_plugin_object_end - rounds_plugin_object_begin)};
}

}  // namespace

Result<UniqueFd> rounds_plugin_file()
{
	UniqueFd file(::memfd_create("punctual-rounds", MFD_CLOEXEC));
	if (!file)
		return fail_errno(errno, ExitCode::failed, "cannot create a file for QEMU's plugin");
	for (std::string_view rest = plugin_bytes(); !rest.empty();) {
		const ssize_t written = ::write(file.get(), rest.data(), rest.size());
		if (written <= 0)
			return fail_errno(errno, ExitCode::failed, "cannot write QEMU's plugin");
		rest.remove_prefix(static_cast<size_t>(written));
	}
	return file;
}

std::string rounds_plugin_option(const std::string& path)
{
	return fmt::format("file={},q={}", path, kRoundNs);
}

std::string rounds_plugin_identity()
{
	return fmt::format("{:x}", std::hash<std::string_view>{}(plugin_bytes()));
}

Status check_rounds_plugin(const std::string& qemu)
{
	const UniqueFd file = TRY(rounds_plugin_file());
	const std::string option = rounds_plugin_option(path_for_qemu(file.get())) + ",check=on";
	const auto check = run_captured({qemu, "-M", "none", "-accel", "tcg", "-display", "none", "-plugin", option},
					std::chrono::seconds(20));
	if (check && check->status == 0)
		return {};
	return fail(ExitCode::lacking,
		    "several CPUs in virtual time need a QEMU whose inside is known, as Debian's 10.0 (use --cpus 1 or "
		    "--time wall); this one says:{}",
		    check ? console_tail(check->err, 3) : " " + check.error().what);
}

}  // namespace punctual
