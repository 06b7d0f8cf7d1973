// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/cgroup.h"
#include "base/file.h"
#include "bench/arm_setup.h"
#include "bench/rollout_record.h"

namespace punctual {
namespace {

constexpr std::array<const char*, 2> kNames = {"telemetry.slice", "vnf.slice"};  // those of Sides
constexpr int kRemoveTries = 500;
constexpr std::chrono::milliseconds kRemovePause{10};

bool has_cpu(const std::string& controllers)
{
	return (" " + controllers + " ").find(" cpu ") != std::string::npos;
}

// Whoever was in it dies with the roll-out, which takes the kernel a moment.
Status remove_cgroup(const std::filesystem::path& path)
{
	(void)write_kernel_file(path / "cgroup.kill", "1");
	for (int tries = 0; tries < kRemoveTries; tries++) {
		if (::rmdir(path.c_str()) == 0 || errno == ENOENT)
			return {};
		std::this_thread::sleep_for(kRemovePause);
	}
	return fail_errno(errno, ExitCode::failed, fmt::format("cannot remove cgroup {}", path.native()));
}

}  // namespace

Status claim_cgroups(RolloutRecord* record)
{
	const std::filesystem::path mount = TRY(cgroup2_mount());
	Sides::put_back_controllers();
	std::error_code error;
	for (const char* name : kNames)
		if (note_left_behind(name))  // by a bench that was killed
			TRY(remove_cgroup(mount / name));
		else if (std::filesystem::exists(mount / name, error))
			return fail(
			    ExitCode::failed,
			    "cgroup {} exists already, and the load of the bench needs that name: another run is "
			    "using it, or left it behind (rmdir it), or it is yours (measure it: --slice)",
			    (mount / name).native());
	record->has_cgroups = true;
	record->was_cpu_controlled = has_cpu(TRY(read_line(mount / "cgroup.subtree_control")));
	return {};
}

Result<std::vector<std::string>> remove_left_cgroups(const RolloutRecord& record)
{
	std::vector<std::string> lines;
	if (!record.has_cgroups)
		return lines;
	const std::filesystem::path mount = TRY(cgroup2_mount());
	const std::filesystem::path controls = mount / "cgroup.subtree_control";
	std::error_code error;
	lines.reserve(kNames.size() + 1);
	for (const char* name : kNames) {
		if (!std::filesystem::exists(mount / name, error))
			continue;
		TRY(remove_cgroup(mount / name));
		lines.push_back(fmt::format("removed cgroup {}", (mount / name).native()));
	}
	// Sides switches it off only where no other cgroup is, and only then is it ours to put back.
	if (!lines.empty() && has_cpu(TRY(read_line(controls))) != record.was_cpu_controlled &&
	    write_kernel_file(controls, record.was_cpu_controlled ? "+cpu" : "-cpu"))
		lines.push_back(
		    fmt::format("the cpu controller is {} again", record.was_cpu_controlled ? "on" : "off"));
	return lines;
}

}  // namespace punctual
