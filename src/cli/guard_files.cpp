// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/sched_ext.h"
#include "cli/control_client.h"
#include "cli/guard_look.h"
#include "cli/run_only.h"
#include "guard/guard_record.h"
#include "object/loaded.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kLockWait{1000};  // a guard that was killed is gone sooner
constexpr int kResetTries = 10;          // of kLockWait: a guard that is just starting or ending
constexpr milliseconds kGonePause{100};
constexpr int kGoneTries = 20;

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

void GuardFiles::save(const GuardState& state, bool must_last)
{
	const fs::path path = directory_ / kGuardStateFile;
	Status saved = replace_file(path, guard_state_to_json(state));
	if (saved && must_last)
		saved = sync_file(path);
	if (!saved && !said_)
		fmt::print(stderr, "guard: {}; going on, but a restart of the guard will not know of this\n",
			   saved.error().what);
	said_ = !saved;
}

namespace {

Status reset_state(const GuardFiles& files, const fs::path& directory)
{
	GuardState state = files.read().value_or(GuardState{});  // a damaged one is no loss
	forgive(&state);
	TRY(replace_file(directory / kGuardStateFile, guard_state_to_json(state)));
	fmt::print(stderr, "guard: none runs; the next one begins anew\n");
	return {};
}

}  // namespace

Status reset_guard(const fs::path& directory)
{
	std::error_code error;
	for (int tries = 0; tries < kResetTries; tries++) {
		const auto reply = TRY(ask_guard({.kind = ControlKind::reset}, control_path(directory)));
		if (reply && reply->code != ExitCode::ok)
			return std::unexpected(Error{reply->code, reply->text});
		if (reply)
			return {};
		if (::geteuid() != 0)
			return fail(ExitCode::lacking, "no guard runs, and what one left is root's to reset");
		if (!fs::is_directory(directory, error))
			return fail(ExitCode::failed, "there is no guard's state in {}: nothing to reset",
				    directory.native());
		const auto files = GuardFiles::create(directory, -1);
		if (files)
			return reset_state(*files, directory);
		if (files.error().code != ExitCode::failed)
			return std::unexpected(files.error());
	}
	return fail(ExitCode::failed, "a guard runs, but does not answer at {}", control_path(directory).native());
}

Status clean_up_after_guard(const fs::path& directory)
{
	std::error_code error;
	if (!fs::is_directory(directory, error))
		return {};
	const GuardFiles files = TRY(GuardFiles::create(directory, -1));
	const Status repaired = repair_and_say();
	const std::string ops = files.read().value_or(GuardState{}).ops;
	for (int tries = 0; !ops.empty() && read_sched_ext().ops == ops && tries < kGoneTries; tries++)
		std::this_thread::sleep_for(kGonePause);
	if (!ops.empty() && read_sched_ext().ops == ops) {
		TRY(unload_scheduler());
		fmt::print(stderr, "guard: {}, which a guard left, is detached\n", ops);
	}
	return repaired;
}

}  // namespace punctual
