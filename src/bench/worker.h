// SPDX-License-Identifier: GPL-2.0-only
// A process of one side of a trial: in its cgroup and on its CPUs before its first instruction of
// work, held at a gate until everything is set up, killed when the trial is over.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/cgroup.h"
#include "base/cpu_list.h"
#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// Many processes wait on it; open(n) lets n of them through. Python reads it as a plain descriptor.
class Gate {
 public:
	static Result<Gate> create();
	int fd() const { return fd_.get(); }
	void pass() const;  // blocks until let through
	Status open(size_t processes) const;

 private:
	explicit Gate(UniqueFd fd) : fd_(std::move(fd)) {}
	UniqueFd fd_;
};

class Worker {
 public:
	// Forks. The child runs `body` and ends with what it returns; it dies with us. REQUIRES: one thread,
	// as the child goes on with ordinary code.
	static Result<Worker> start(std::string name, const ScopedCgroup& cgroup, const CpuList& cpus,
				    const std::function<int()>& body);
	// The same in our own cgroup.
	static Result<Worker> start(std::string name, const CpuList& cpus, const std::function<int()>& body);
	Worker(Worker&& other) noexcept;
	Worker& operator=(Worker&&) = delete;
	~Worker();

	pid_t pid() const { return pid_; }
	int pidfd() const { return pidfd_.get(); }  // readable when it has ended
	// Error (failed) naming the process and its status when it is no longer running.
	Status still_runs();
	// Error when it did not end with status 0. Blocks until it ends.
	Status finish();

 private:
	static Result<Worker> launch(std::string name, const ScopedCgroup* cgroup, const CpuList& cpus,
				     const std::function<int()>& body);
	Worker(std::string name, pid_t pid, UniqueFd pidfd)
	    : name_(std::move(name)), pid_(pid), pidfd_(std::move(pidfd))
	{}
	std::string name_;
	pid_t pid_ = -1;  // -1: reaped
	UniqueFd pidfd_;
};

// Binds a process (0: the caller) to CPUs.
Status pin(pid_t pid, const CpuList& cpus);

}  // namespace punctual
