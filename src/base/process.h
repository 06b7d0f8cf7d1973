// SPDX-License-Identifier: GPL-2.0-only
// Child processes without a shell.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

struct SpawnOptions {
	int stdin_fd = -1;  // -1: /dev/null for stdin, inherited for the other two
	int stdout_fd = -1;
	int stderr_fd = -1;
	bool die_with_parent = true;                // SIGKILL when the thread that spawned it goes
	std::string cgroup = {};                    // directory to start in; empty: ours
	std::optional<int> nice = {};               // none: ours
	std::vector<std::string> environment = {};  // "NAME=value", added to ours or in the place of it
};

// A running child. The destructor kills and reaps a child that was not waited for.
// It starts with no signal blocked and SIGPIPE at its default, whatever our own state is.
class Child {
 public:
	// argv[0] is searched in PATH. Error (usage, naming the program) when it cannot be started.
	static Result<Child> spawn(const std::vector<std::string>& argv, const SpawnOptions& options = {});
	// A copy of this process that does `work`, silently, and ends with 0: for libraries that may crash on damaged
	// input. What it did in memory is lost. Error: no process could be made.
	static Result<Child> copy(const std::function<void()>& work);
	Child(Child&&) noexcept;
	Child& operator=(Child&&) = delete;
	Child(const Child&) = delete;
	Child& operator=(const Child&) = delete;
	~Child();

	pid_t pid() const { return pid_; }
	int pidfd() const { return pidfd_.get(); }  // readable when the child has ended
	void send(int signal) const;                // does nothing once the child was waited for
	// Shell-like status: exit code, or 128 + signal. nullopt when `limit` passes first.
	Result<std::optional<int>> wait(std::optional<std::chrono::nanoseconds> limit = std::nullopt);

 private:
	Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
	pid_t pid_ = -1;
	UniqueFd pidfd_;
	std::optional<int> status_;  // set once reaped
};

struct Captured {
	int status;
	std::string out;
	std::string err;
};

// Runs argv to its end and returns what it printed (each stream bounded by 64 MiB).
Result<Captured> run_captured(const std::vector<std::string>& argv, std::chrono::nanoseconds limit);

}  // namespace punctual
