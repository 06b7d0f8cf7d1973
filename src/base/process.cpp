// SPDX-License-Identifier: GPL-2.0-only
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <span>

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr size_t kCaptureMax = 64UL << 20;

// By number: the C library's own declaration of it cannot be linked from C++ (glibc 2.36).
int pidfd_open(pid_t pid)
{
	return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

struct Pipe {
	UniqueFd reader;
	UniqueFd writer;
};

Result<Pipe> make_pipe()
{
	int fds[2];
	if (::pipe2(fds, O_CLOEXEC) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
	return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// What the child reports through the error pipe when it cannot become the program.
struct StartFailure {
	enum Stage : int { kStreams, kCgroup, kExec };
	Stage stage;
	int error_number;
};

// Everything the child needs, prepared before fork: after it, only async-signal-safe calls are allowed.
struct ChildPlan {
	char* const* argv;
	char* const* environment;
	std::array<int, 3> streams;  // never -1 for stdin
	int cgroup_procs_fd;         // -1: stay
	int error_fd;
	pid_t parent;  // 0: outlive it
	std::optional<int> nice;
};

[[noreturn]] void give_up(const ChildPlan& plan, StartFailure::Stage stage)
{
	const StartFailure failure{stage, errno};
	(void)!::write(plan.error_fd, &failure, sizeof(failure));
	::_exit(127);
}

void connect_streams(const ChildPlan& plan)
{
	// A given descriptor may itself be 0, 1 or 2; copies above them cannot be overwritten on the way.
	std::array<int, 3> copies = {-1, -1, -1};
	for (size_t i = 0; i < copies.size(); i++) {
		if (plan.streams[i] < 0)
			continue;
		copies[i] = ::fcntl(plan.streams[i], F_DUPFD_CLOEXEC, 3);
		if (copies[i] < 0)
			give_up(plan, StartFailure::kStreams);
	}
	for (size_t i = 0; i < copies.size(); i++)
		if (copies[i] >= 0 && ::dup2(copies[i], static_cast<int>(i)) < 0)
			give_up(plan, StartFailure::kStreams);
}

[[noreturn]] void become(const ChildPlan& plan)
{
	if (plan.parent != 0) {
		::prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (::getppid() != plan.parent)  // it died before the line above
			::_exit(127);
	}
	connect_streams(plan);
	if (plan.cgroup_procs_fd >= 0 && ::write(plan.cgroup_procs_fd, "0", 1) != 1)
		give_up(plan, StartFailure::kCgroup);
	if (plan.nice)
		::setpriority(PRIO_PROCESS, 0, *plan.nice);
	::signal(SIGPIPE, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	::sigprocmask(SIG_SETMASK, &none, nullptr);
	::execvpe(plan.argv[0], plan.argv, plan.environment);
	give_up(plan, StartFailure::kExec);
}

// Ours, but for what `added` gives another value.
std::vector<char*> environment_with(const std::vector<std::string>& added)
{
	std::vector<char*> environment;
	environment.reserve(added.size() + 1);
	for (const std::string& entry : added)
		environment.push_back(const_cast<char*>(entry.c_str()));  // execvpe does not write to them
	for (char** entry = environ; *entry != nullptr; entry++) {
		const std::string_view name =
		    std::string_view(*entry).substr(0, std::string_view(*entry).find('=') + 1);
		if (std::ranges::none_of(added, [&](const std::string& other) { return other.starts_with(name); }))
			environment.push_back(*entry);
	}
	environment.push_back(nullptr);
	return environment;
}

std::unexpected<Error> start_error(const StartFailure& failure, const std::string& program, const std::string& cgroup)
{
	const int error = failure.error_number;
	switch (failure.stage) {
	case StartFailure::kCgroup:
		return fail_errno(error, error == EACCES ? ExitCode::lacking : ExitCode::failed,
				  fmt::format("cannot start '{}' in cgroup {}", program, cgroup));
	case StartFailure::kStreams:
		return fail_errno(error, ExitCode::failed, fmt::format("cannot connect the streams of '{}'", program));
	case StartFailure::kExec:
		break;
	}
	if (error == ENOENT)
		return fail(ExitCode::usage, "cannot start '{}': no such program", program);
	const bool not_a_program = error == EACCES || error == ENOEXEC || error == ENOTDIR;
	return fail_errno(error, not_a_program ? ExitCode::usage : ExitCode::failed,
			  fmt::format("cannot start '{}'", program));
}

int shell_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

Result<int> reap(pid_t pid)
{
	int wait_status = 0;
	pid_t reaped = 0;
	do
		reaped = ::waitpid(pid, &wait_status, 0);
	while (reaped < 0 && errno == EINTR);
	if (reaped < 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot wait for process {}", pid));
	return shell_status(wait_status);
}

// poll() with a deadline in nanoseconds that a signal does not prolong. 0: the deadline passed.
int poll_until(std::span<pollfd> fds, std::optional<Clock::time_point> deadline)
{
	for (;;) {
		timespec left{};
		if (deadline) {
			const auto left_ns =
			    std::max(nanoseconds(0), std::chrono::duration_cast<nanoseconds>(*deadline - Clock::now()));
			left.tv_sec = static_cast<time_t>(left_ns.count() / 1'000'000'000);
			left.tv_nsec = static_cast<long>(left_ns.count() % 1'000'000'000);
		}
		const int ready = ::ppoll(fds.data(), fds.size(), deadline ? &left : nullptr, nullptr);
		if (ready >= 0 || errno != EINTR)
			return ready;
	}
}

// A limit of 292 years would wrap when added to now.
std::optional<Clock::time_point> deadline_after(std::optional<nanoseconds> limit)
{
	const Clock::time_point now = Clock::now();
	if (!limit || *limit > Clock::time_point::max() - now)
		return std::nullopt;
	return now + *limit;
}

enum class Drained { open, ended, too_much, failed };

// Takes what is there without blocking.
Drained drain(int fd, std::string& into)
{
	char buffer[16384];
	for (;;) {
		const ssize_t got = ::read(fd, buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? Drained::open : Drained::failed;
		if (got == 0)
			return Drained::ended;
		if (into.size() + static_cast<size_t>(got) > kCaptureMax)
			return Drained::too_much;
		into.append(buffer, static_cast<size_t>(got));
	}
}

// Its crash is expected: no core file, and no handler of this process.
[[noreturn]] void be_a_copy(const std::function<void()>& work, pid_t parent)
{
	const rlimit no_core{};
	::setrlimit(RLIMIT_CORE, &no_core);
	for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
		std::signal(signal, SIG_DFL);
	const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
	if (null) {
		::dup2(null.get(), STDOUT_FILENO);
		::dup2(null.get(), STDERR_FILENO);
	}
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (::getppid() == parent)  // else it is gone already, and nobody waits
		work();
	::_exit(0);
}

}  // namespace

Result<Child> Child::spawn(const std::vector<std::string>& argv, const SpawnOptions& options)
{
	if (argv.empty() || argv[0].empty())
		return fail(ExitCode::usage, "no program to start");
	std::vector<char*> arguments;
	arguments.reserve(argv.size() + 1);
	for (const std::string& argument : argv)
		arguments.push_back(const_cast<char*>(argument.c_str()));  // execvp does not write to them
	arguments.push_back(nullptr);
	const std::vector<char*> environment = environment_with(options.environment);
	UniqueFd null;
	if (options.stdin_fd < 0) {
		null = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
		if (!null)
			return fail_errno(errno, ExitCode::failed, "cannot open /dev/null");
	}
	UniqueFd cgroup_procs;
	if (!options.cgroup.empty()) {
		cgroup_procs = UniqueFd(::open((options.cgroup + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
		if (!cgroup_procs)
			return start_error({StartFailure::kCgroup, errno}, argv[0], options.cgroup);
	}
	Pipe errors = TRY(make_pipe());
	const ChildPlan plan{arguments.data(),
			     environment.data(),
			     {null ? null.get() : options.stdin_fd, options.stdout_fd, options.stderr_fd},
			     cgroup_procs.get(),
			     errors.writer.get(),
			     options.die_with_parent ? ::getpid() : 0,
			     options.nice};
	const pid_t pid = ::fork();
	if (pid < 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot start '{}'", argv[0]));
	if (pid == 0)
		become(plan);
	Child child(pid, UniqueFd(pidfd_open(pid)));  // from here on the destructor kills and reaps
	errors.writer.reset();
	StartFailure failure;
	ssize_t got = 0;
	do
		got = ::read(errors.reader.get(), &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	if (got == static_cast<ssize_t>(sizeof(failure)))
		return start_error(failure, argv[0], options.cgroup);
	if (!child.pidfd_)
		return fail(ExitCode::lacking, "cannot watch '{}': the kernel has no pidfd_open", argv[0]);
	return child;
}

Result<Child> Child::copy(const std::function<void()>& work)
{
	const pid_t parent = ::getpid();
	const pid_t pid = ::fork();
	if (pid < 0)
		return fail_errno(errno, ExitCode::failed, "cannot make a copy of this process");
	if (pid == 0)
		be_a_copy(work, parent);
	Child child(pid, UniqueFd(pidfd_open(pid)));
	if (!child.pidfd_)
		return fail(ExitCode::lacking, "cannot watch a process: the kernel has no pidfd_open");
	return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), status_(other.status_)
{}

Child::~Child()
{
	if (pid_ < 0 || status_)
		return;
	::kill(pid_, SIGKILL);  // not reaped yet, so the number is still its own
	(void)reap(pid_);
}

void Child::send(int signal) const
{
	if (pid_ >= 0 && !status_)
		::kill(pid_, signal);
}

Result<std::optional<int>> Child::wait(std::optional<nanoseconds> limit)
{
	if (status_)
		return status_;
	if (limit) {
		pollfd watched{pidfd_.get(), POLLIN, 0};
		const int ready = poll_until({&watched, 1}, deadline_after(limit));
		if (ready < 0)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot wait for process {}", pid_));
		if (ready == 0)
			return std::nullopt;
	}
	status_ = TRY(reap(pid_));
	return status_;
}

Result<Captured> run_captured(const std::vector<std::string>& argv, nanoseconds limit)
{
	const std::optional<Clock::time_point> deadline = deadline_after(limit);
	Pipe out = TRY(make_pipe());
	Pipe err = TRY(make_pipe());
	Child child = TRY(Child::spawn(argv, {.stdout_fd = out.writer.get(), .stderr_fd = err.writer.get()}));
	out.writer.reset();
	err.writer.reset();
	::fcntl(out.reader.get(), F_SETFL, O_NONBLOCK);
	::fcntl(err.reader.get(), F_SETFL, O_NONBLOCK);

	Captured captured{};
	std::array<pollfd, 3> fds = {pollfd{out.reader.get(), POLLIN, 0}, pollfd{err.reader.get(), POLLIN, 0},
				     pollfd{child.pidfd(), POLLIN, 0}};
	// The end of the process ends it, not the end of the streams: a daemon it left behind may hold those open.
	while ((fds[2].revents & POLLIN) == 0) {
		const int ready = poll_until(fds, deadline);
		if (ready < 0)
			return fail_errno(errno, ExitCode::failed, fmt::format("cannot read from '{}'", argv[0]));
		if (ready == 0)
			return fail(ExitCode::timeout, "'{}' did not end in time", argv[0]);
		for (size_t i = 0; i < 2; i++) {
			if (fds[i].fd < 0)
				continue;
			const Drained drained = drain(fds[i].fd, i == 0 ? captured.out : captured.err);
			if (drained == Drained::too_much)
				return fail(ExitCode::failed, "'{}' printed more than {} bytes", argv[0], kCaptureMax);
			if (drained != Drained::open)
				fds[i].fd = -1;
		}
	}
	captured.status = TRY(child.wait()).value_or(-1);
	return captured;
}

}  // namespace punctual
