// SPDX-License-Identifier: GPL-2.0-only
#include "runq/memory_limit.h"

#include <sys/utsname.h>

#include <cstdio>
#include <string>

#include "base/cgroup.h"
#include "base/file.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnified = "0::";  // its line in /proc/self/cgroup

std::string own_cgroup()
{
	const std::string text = read_file("/proc/self/cgroup").value_or("");
	const size_t at = text.starts_with(kUnified) ? 0 : text.find("\n" + std::string(kUnified));
	if (at == std::string::npos)
		return "/";
	const size_t from = text.find(kUnified, at) + kUnified.size();
	return text.substr(from, text.find('\n', from) - from);
}

}  // namespace

std::optional<fs::path> memory_limit_above(const fs::path& mount, std::string_view own)
{
	fs::path relative = fs::path(own).relative_path();
	for (; !relative.empty(); relative = relative.parent_path()) {
		const auto limit = read_line(mount / relative / "memory.max");
		if (limit && *limit != "max")
			return mount / relative;
	}
	return std::nullopt;
}

bool hangs_at_memory_limit(std::string_view kernel_release)
{
	unsigned major = 0, minor = 0;
	if (std::sscanf(std::string(kernel_release).c_str(), "%u.%u", &major, &minor) != 2)
		return false;
	return major < 6 || (major == 6 && minor < 4);
}

Status check_memory_limit()
{
	utsname machine = {};
	uname(&machine);
	const auto mount = cgroup2_mount();
	if (!mount || !hangs_at_memory_limit(machine.release))
		return {};
	if (const auto limited = memory_limit_above(*mount, own_cgroup()))
		return fail(ExitCode::lacking,
			    "Linux {} hangs when the memory of the run-queue probes reaches the limit of their cgroup, "
			    "and {} has one: start from a cgroup without memory.max, or use Linux 6.4 or later",
			    machine.release, limited->native());
	return {};
}

}  // namespace punctual
