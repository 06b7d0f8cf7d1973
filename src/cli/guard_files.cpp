// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/file_lock.h"
#include "cli/guard_look.h"
#include "guard/guard_record.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kLockWait{1000};  // a guard that was killed is gone sooner
constexpr milliseconds kResetPause{50};
constexpr int kResetTries = 200;  // 10 s: the guard looks several times a second, unless it is loading
constexpr const char* kReset = "guard.reset";

Result<GuardState> read_state(const fs::path& path)
{
	std::error_code error;
	if (!fs::exists(path, error)) {
		GuardState state;
		state.random = std::random_device()();
		return state;
	}
	Result<GuardState> state = guard_state_from_json(TRY(read_file(path, 1UL << 20)));
	if (!state)
		return fail(ExitCode::failed,
			    "{} is no state of a guard: {} (remove it, and the guard begins anew, or give another "
			    "--state-dir)",
			    path.native(), state.error().what);
	return state;
}

}  // namespace

Result<GuardFiles> GuardFiles::create(const fs::path& directory, int stop_fd)
{
	std::error_code error;
	if (!fs::is_directory(directory, error) && ::mkdir(directory.c_str(), 0750) != 0)
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot create {}", directory.native()));
	Result<UniqueFd> lock = lock_file(directory / kGuardLockFile, stop_fd, kLockWait);
	if (!lock && lock.error().code == ExitCode::failed)
		return fail(ExitCode::failed, "another guard runs: {}", lock.error().what);
	return GuardFiles(directory, TRY(std::move(lock)));
}

Result<GuardState> GuardFiles::read() const
{
	return read_state(directory_ / kGuardStateFile);
}

void GuardFiles::save(const GuardState& state)
{
	const Status saved = replace_file(directory_ / kGuardStateFile, guard_state_to_json(state));
	if (!saved && !said_)
		fmt::print(stderr, "guard: {}; going on, but a restart of the guard will not know of this\n",
			   saved.error().what);
	said_ = !saved;
}

bool GuardFiles::take_reset() const
{
	return ::unlink((directory_ / kReset).c_str()) == 0;
}

Status reset_guard(const fs::path& directory)
{
	std::error_code error;
	if (!fs::is_directory(directory, error))
		return fail(ExitCode::failed, "there is no guard's state in {}: nothing to reset", directory.native());
	const auto files = GuardFiles::create(directory, -1);
	if (files) {
		GuardState state = files->read().value_or(GuardState{});  // a damaged one is no loss
		state.phase = GuardPhase::resting;
		state.held_by = HeldBy::nobody;
		state.reason.clear();
		state.wait_until_ns = 0;
		state.faults_ns.clear();
		state.hotplugs_ns.clear();
		state.nr_faults_in_row = 0;
		TRY(replace_file(directory / kGuardStateFile, guard_state_to_json(state)));
		fmt::print(stderr, "guard: none runs; the next one begins anew\n");
		return {};
	}
	if (files.error().code != ExitCode::failed)
		return std::unexpected(files.error());
	TRY(replace_file(directory / kReset, ""));
	for (int tries = 0; tries < kResetTries; tries++) {
		if (!fs::exists(directory / kReset, error))
			return {};
		std::this_thread::sleep_for(kResetPause);
	}
	return fail(ExitCode::failed, "the guard that runs did not answer in 10 s; it takes notice when it can");
}

}  // namespace punctual
