// SPDX-License-Identifier: GPL-2.0-only
#include "lab/guest.h"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "lab/channel.h"
#include "lab/cpio.h"
#include "lab/file_tree.h"
#include "lab/guest_root.h"
#include "lab/image.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kVirtualWindowNs = 6 * kSecondNs;
constexpr uint64_t kWallPeriodNs = 2'000'000;

struct Mount {
	const char* type;
	const char* where;
	const char* options;
};

// What a kernel lacks is left out: a command that needs it will say so itself.
constexpr Mount kMounts[] = {
    {"proc", "/proc", ""},
    {"sysfs", "/sys", ""},
    {"devtmpfs", "/dev", ""},
    {"devpts", "/dev/pts", ""},
    {"tmpfs", "/dev/shm", "mode=1777"},
    {"tmpfs", "/run", "mode=755"},
    {"tmpfs", "/tmp", "mode=1777"},
    {"cgroup2", "/sys/fs/cgroup", ""},
    {"tracefs", "/sys/kernel/tracing", ""},
    {"debugfs", "/sys/kernel/debug", ""},
    {"bpf", "/sys/fs/bpf", ""},
    {"securityfs", "/sys/kernel/security", ""},
};

void mount_everything()
{
	for (const Mount& mount : kMounts) {
		::mkdir(mount.where, 0755);
		::mount(mount.type, mount.where, mount.type, MS_NOSUID, mount.options);
	}
	(void)write_kernel_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu +cpuset +memory +pids");
}

void bring_up_loopback()
{
	const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	ifreq request{};
	std::strcpy(request.ifr_name, "lo");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	::ioctl(fd.get(), SIOCSIFFLAGS, &request);
}

void raise_limits()
{
	constexpr rlimit kAll{RLIM_INFINITY, RLIM_INFINITY};
	constexpr rlimit kFiles{1 << 20, 1 << 20};
	::setrlimit(RLIMIT_MEMLOCK, &kAll);
	::setrlimit(RLIMIT_RTPRIO, &kAll);
	::setrlimit(RLIMIT_NOFILE, &kFiles);
	::setrlimit(RLIMIT_CORE, &kAll);
}

std::vector<std::string> split_at_nul(std::string_view text)
{
	std::vector<std::string> parts;
	while (!text.empty()) {
		parts.emplace_back(text.substr(0, text.find('\0')));
		text.remove_prefix(std::min(parts.back().size() + 1, text.size()));
	}
	return parts;
}

void set_environment(const std::vector<std::string>& extra)
{
	::clearenv();
	::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	::setenv("HOME", kGuestHome, 1);
	::setenv("USER", "root", 1);
	::setenv("SHELL", "/bin/sh", 1);
	::setenv("TERM", "dumb", 1);
	::setenv("PUNCTUAL_LAB", "1", 1);
	::setenv("PUNCTUAL_OUT", kGuestOut, 1);
	for (const std::string& entry : extra)
		if (const size_t equals = entry.find('='); equals != entry.npos)
			::setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
}

// The serial port, for the host's question whether we still live. Raw: nothing is echoed.
UniqueFd open_console()
{
	UniqueFd fd(::open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
	termios settings;
	if (fd && ::tcgetattr(fd.get(), &settings) == 0) {
		::cfmakeraw(&settings);
		settings.c_oflag |= OPOST | ONLCR;  // kernel lines end as before
		::tcsetattr(fd.get(), TCSANOW, &settings);
	}
	return fd;
}

uint64_t now_ns()
{
	timespec now;
	::clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<uint64_t>(now.tv_sec) * kSecondNs + static_cast<uint64_t>(now.tv_nsec);
}

void sleep_until(uint64_t time_ns)
{
	const timespec until{static_cast<time_t>(time_ns / kSecondNs), static_cast<long>(time_ns % kSecondNs)};
	while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
	}
}

uint64_t number_in(std::string_view text)
{
	uint64_t number = 0;
	std::from_chars(text.data(), text.data() + text.size(), number);
	return number;
}

// The host may hold us here and let copies of us go on later, each with a job of its own. In virtual time the
// job is looked for at one fixed time, so that it cannot matter how long the host held us, or whether it did: the
// guest is idle throughout, and idle time costs the host next to nothing. The time is ample for the host to act.
void wait_for_job(Channel& channel)
{
	const char* settle = std::getenv("PUNCTUAL_SETTLE_NS");
	const char* time = std::getenv("PUNCTUAL_TIME");
	const bool virtual_time = time && std::string_view(time) == "virtual";
	const uint64_t settled_ns = now_ns() + number_in(settle ? settle : "0");
	if (!virtual_time)
		sleep_until(settled_ns);
	uint64_t next_ns = virtual_time ? settled_ns : now_ns();
	const uint64_t period_ns = virtual_time ? kVirtualWindowNs : kWallPeriodNs;
	channel.send(FrameKind::waiting, "");
	do {
		next_ns += period_ns;
		sleep_until(next_ns);
		if (virtual_time && !channel.has_job())
			channel.send(FrameKind::waiting, "");  // tells the host that it came too late
	} while (!channel.has_job());
}

void set_clock(uint64_t realtime_ns)
{
	const timespec now{static_cast<time_t>(realtime_ns / kSecondNs), static_cast<long>(realtime_ns % kSecondNs)};
	::clock_settime(CLOCK_REALTIME, &now);
}

// One stream of the command on its way to the host.
struct Stream {
	UniqueFd reader;
	UniqueFd writer;
	FrameKind kind;

	// Takes what is there. False once all writers are gone.
	bool forward(Channel& channel) const
	{
		std::array<char, 65536> buffer;
		for (;;) {
			const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
			if (got > 0)
				channel.send(kind, {buffer.data(), static_cast<size_t>(got)});
			else if (got == 0)
				return false;
			else if (errno != EINTR)
				return true;
		}
	}
};

Result<Stream> make_stream(FrameKind kind)
{
	int fds[2];
	if (::pipe2(fds, O_CLOEXEC) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create a pipe");
	::fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return Stream{UniqueFd(fds[0]), UniqueFd(fds[1]), kind};
}

// Reaps every child but `ours`, which its own object waits for. True when `ours` has ended.
bool reap_others(pid_t ours)
{
	for (;;) {
		siginfo_t info{};
		if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return false;
		if (info.si_pid == ours)
			return true;
		::waitpid(info.si_pid, nullptr, 0);
	}
}

// As a service: what is left in the cgroup of ours. Bounded, because something there may go on forking.
void end_cgroup()
{
	constexpr int kRounds = 100;
	const std::string line = read_line("/proc/self/cgroup").value_or("");  // "0::/system.slice/..."
	const fs::path members =
	    "/sys/fs/cgroup" + line.substr(std::min(line.rfind(':') + 1, line.size())) + "/cgroup.procs";
	for (int i = 0; i < kRounds; i++) {
		const std::string text = read_file(members).value_or("");
		bool alone = true;
		for (std::string_view rest = text; !rest.empty();
		     rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1)) {
			const auto pid = static_cast<pid_t>(number_in(rest));
			if (pid > 0 && pid != ::getpid()) {
				::kill(pid, SIGKILL);
				alone = false;
			}
		}
		if (alone)
			return;
		sleep_until(now_ns() + kWallPeriodNs);
	}
}

// Kills what the command left behind, so that its streams end and nothing disturbs the way home.
void end_everything_else()
{
	if (::getpid() == 1)
		::kill(-1, SIGKILL);
	else
		end_cgroup();
	while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
	}
}

void answer_host(const UniqueFd& console, Channel& channel)
{
	std::array<char, 64> question;
	if (::read(console.get(), question.data(), question.size()) > 0)
		channel.answer();
}

// What the kernel said of the last process that it killed for want of memory; empty: it killed none.
std::string out_of_memory_line()
{
	constexpr int kReadAll = 3;  // SYSLOG_ACTION_READ_ALL, see syslog(2)
	constexpr std::string_view kMark = "Out of memory: ";
	std::string log(1 << 20, '\0');
	const int size = ::klogctl(kReadAll, log.data(), static_cast<int>(log.size()));
	log.resize(static_cast<size_t>(std::max(size, 0)));
	const size_t at = log.rfind(kMark);
	return at == log.npos ? "" : log.substr(at, log.find('\n', at) - at);
}

Result<int> run_command(const std::vector<std::string>& argv, Channel& channel, const UniqueFd& console)
{
	sigset_t child_ended;
	sigemptyset(&child_ended);
	sigaddset(&child_ended, SIGCHLD);
	::sigprocmask(SIG_BLOCK, &child_ended, nullptr);
	const UniqueFd signals(::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK));
	Stream out = TRY(make_stream(FrameKind::out));
	Stream err = TRY(make_stream(FrameKind::err));
	channel.send(FrameKind::started, "");
	auto child = Child::spawn(argv, {.stdout_fd = out.writer.get(), .stderr_fd = err.writer.get()});
	if (!child) {  // as a shell does it
		channel.send(FrameKind::err, fmt::format("punctual lab: {}\n", child.error().what));
		return child.error().what.ends_with("no such program") ? 127 : 126;
	}
	out.writer.reset();
	err.writer.reset();
	for (bool ended = false; !ended;) {
		std::array<pollfd, 4> fds = {pollfd{out.reader.get(), POLLIN, 0}, pollfd{err.reader.get(), POLLIN, 0},
					     pollfd{signals.get(), POLLIN, 0}, pollfd{console.get(), POLLIN, 0}};
		::poll(fds.data(), fds.size(), -1);
		if (fds[0].revents && !out.forward(channel))
			out.reader.reset();  // poll ignores a negative descriptor
		if (fds[1].revents && !err.forward(channel))
			err.reader.reset();
		if (fds[3].revents)
			answer_host(console, channel);
		signalfd_siginfo info;
		if (fds[2].revents && ::read(signals.get(), &info, sizeof(info)) > 0)
			ended = reap_others(child->pid());
	}
	const int status = TRY(child->wait()).value_or(1);
	end_everything_else();
	if (out.reader)
		out.forward(channel);
	if (err.reader)
		err.forward(channel);
	if (const std::string line = status == 128 + SIGKILL ? out_of_memory_line() : ""; !line.empty())
		channel.send(FrameKind::err,
			     fmt::format("punctual lab: the machine needs more memory (--memory): {}\n", line));
	return status;
}

// Before the command, so that it finds what it asked for or does not start.
Status load_modules()
{
	for (const std::string& file : split_at_nul(TRY(read_file(kGuestModules)))) {
		const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
		if (::syscall(SYS_finit_module, fd.get(), "", 0) != 0 && errno != EEXIST)
			return fail_errno(errno, ExitCode::failed,
					  fmt::format("the kernel refuses the module {}", file));
	}
	return {};
}

Status send_files(Channel& channel)
{
	FileTree tree(FileTree::Layout::plain);
	std::error_code error;
	for (const auto& entry : fs::recursive_directory_iterator(kGuestOut, error)) {
		const std::string inside = entry.path().lexically_relative(kGuestOut).native();
		const auto mode = static_cast<uint32_t>(entry.symlink_status(error).permissions()) & 0777;
		if (entry.is_symlink(error))
			tree.add_link(inside, fs::read_symlink(entry.path(), error).native());
		else if (entry.is_directory(error))
			tree.add_directory(inside, mode);
		else if (entry.is_regular_file(error))
			tree.add_host_file(inside, entry.path(), mode);
	}
	return tree.write([&](std::string_view bytes) {
		if (!bytes.empty())
			channel.send(FrameKind::files, bytes);
	});
}

Status do_job(Channel& channel)
{
	const UniqueFd console = open_console();
	channel.send(FrameKind::booted, "");
	// Boot was quiet for speed; from here on the console tells what the kernel says about schedulers.
	(void)write_kernel_file("/proc/sys/kernel/printk", "7");
	(void)!::chdir(kGuestHome);  // made with the image
	wait_for_job(channel);
	TRY(unpack_archive(TRY(channel.job()), "/"));
	if (const auto realtime = read_line(kGuestRealtime))  // we may have been held for a day
		set_clock(number_in(*realtime));
	const std::vector<std::string> argv = split_at_nul(TRY(read_file(kGuestArgv)));
	set_environment(split_at_nul(TRY(read_file(kGuestEnvironment))));
	TRY(load_modules());
	const int status = TRY(run_command(argv, channel, console));
	TRY(send_files(channel));
	channel.send(FrameKind::ended, fmt::format("{}", status));
	return {};
}

void become_realtime()
{
	sched_param parameter{};
	parameter.sched_priority = 1;
	::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter);
}

Status end_guest()
{
	::sync();
	::reboot(RB_POWER_OFF);
	return fail(ExitCode::failed, "the guest did not power off");
}

// Without a channel the error goes to the console, and the end of process 1 is a panic that the host reports; that of
// the service of a Debian root is told on the console, and powers off.
Status serve()
{
	Channel channel = TRY(Channel::open_in_guest());
	if (const Status done = do_job(channel); !done)
		channel.send(FrameKind::broken, done.error().what);
	return end_guest();
}

// Returns when it cannot be entered.
Status start_root()
{
	const Status entered = enter_root();
	Channel channel = TRY(Channel::open_in_guest());
	channel.send(FrameKind::broken, entered.error().what);
	return end_guest();
}

}  // namespace

Status run_guest()
{
	if (::getpid() == 1) {
		if (::access(kGuestRootArchive, R_OK) == 0)
			return start_root();
		mount_everything();
		bring_up_loopback();
		(void)!::sethostname("lab", 3);  // a name for people
	} else if (!is_root_service()) {
		return fail(ExitCode::usage, "lab-init is the first process of a lab guest, not for people");
	}
	raise_limits();
	::umask(022);
	become_realtime();
	return serve();
}

}  // namespace punctual
