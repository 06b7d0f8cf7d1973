// SPDX-License-Identifier: GPL-2.0-only
#include "bench/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace punctual {
namespace {

std::unexpected<Error> ended(const std::string& name, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return fail(ExitCode::failed, "{} was ended by signal {}", name, WTERMSIG(wait_status));
	return fail(ExitCode::failed, "{} ended with status {}", name, WEXITSTATUS(wait_status));
}

[[noreturn]] void become(pid_t parent, int start_fd, const std::function<int()>& body)
{
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigset_t none;
	sigemptyset(&none);
	::sigprocmask(SIG_SETMASK, &none, nullptr);
	char placed = 0;
	// End of file instead of a byte: placing us failed, or the parent died before the line above.
	if (::getppid() != parent || ::read(start_fd, &placed, 1) != 1)
		::_exit(127);
	::close(start_fd);
	::_exit(body());
}

}  // namespace

Status pin(pid_t pid, const CpuList& cpus)
{
	cpu_set_t mask;
	static_assert(CPU_SETSIZE >= CpuList::kCpusMax);
	CPU_ZERO(&mask);
	for (const int cpu : cpus.cpus())
		CPU_SET(cpu, &mask);
	if (::sched_setaffinity(pid, sizeof(mask), &mask) != 0)
		return fail_errno(errno, ExitCode::usage,
				  fmt::format("cannot run on cpus {} (are they online?)", cpus.text()));
	return {};
}

Result<Gate> Gate::create()
{
	UniqueFd fd(::eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, "cannot create an eventfd");
	return Gate(std::move(fd));
}

void Gate::pass() const
{
	uint64_t taken;
	while (::read(fd_.get(), &taken, sizeof(taken)) < 0 && errno == EINTR) {
	}
}

Status Gate::open(size_t processes) const
{
	const uint64_t value = processes;
	if (::write(fd_.get(), &value, sizeof(value)) != static_cast<ssize_t>(sizeof(value)))
		return fail_errno(errno, ExitCode::failed, "cannot start the processes of the trial");
	return {};
}

Result<Worker> Worker::start(std::string name, const ScopedCgroup& cgroup, const CpuList& cpus,
			     const std::function<int()>& body)
{
	return launch(std::move(name), &cgroup, cpus, body);
}

Result<Worker> Worker::start(std::string name, const CpuList& cpus, const std::function<int()>& body)
{
	return launch(std::move(name), nullptr, cpus, body);
}

Result<Worker> Worker::launch(std::string name, const ScopedCgroup* cgroup, const CpuList& cpus,
			      const std::function<int()>& body)
{
	int fds[2];
	if (::pipe2(fds, O_CLOEXEC) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
	UniqueFd reader(fds[0]);
	UniqueFd writer(fds[1]);
	const pid_t parent = ::getpid();
	const pid_t pid = ::fork();
	if (pid < 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot start {}", name));
	if (pid == 0) {
		writer.reset();
		become(parent, reader.release(), body);
	}
	Worker worker(std::move(name), pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
	if (!worker.pidfd_)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot watch {}", worker.name_));
	if (cgroup != nullptr)
		TRY(cgroup->add(pid));
	TRY(pin(pid, cpus));
	if (::write(writer.get(), "", 1) != 1)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot start {}", worker.name_));
	return worker;
}

Worker::Worker(Worker&& other) noexcept
    : name_(std::move(other.name_)), pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_))
{}

Worker::~Worker()
{
	if (pid_ < 0)
		return;
	::kill(pid_, SIGKILL);
	while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
	}
}

Status Worker::still_runs()
{
	int wait_status = 0;
	if (pid_ < 0 || ::waitpid(pid_, &wait_status, WNOHANG) != pid_)
		return {};
	pid_ = -1;
	return ended(name_, wait_status);
}

Status Worker::finish()
{
	int wait_status = 0;
	while (::waitpid(pid_, &wait_status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot wait for {}", name_));
	pid_ = -1;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return {};
	return ended(name_, wait_status);
}

}  // namespace punctual
