// SPDX-License-Identifier: GPL-2.0-only
#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "base/stop.h"

namespace punctual {
namespace {

using namespace std::chrono_literals;

Captured run_shell(const std::string& script)
{
	Result<Captured> captured = run_captured({"sh", "-c", script}, 30s);
	EXPECT_TRUE(captured) << (captured ? "" : captured.error().what);
	return captured.value_or(Captured{-1, "", ""});
}

TEST(Child, EnvironmentIsOursWithWhatIsGiven)
{
	ASSERT_EQ(::setenv("PUNCTUAL_TEST", "old", 1), 0);
	for (const auto& [given, expected] : {std::pair(std::vector<std::string>{}, "old"),
					      std::pair(std::vector<std::string>{"PUNCTUAL_TEST=a b"}, "a b")}) {
		auto child =
		    Child::spawn({"sh", "-c", fmt::format("test \"$PUNCTUAL_TEST\" = '{}' -a -n \"$PATH\"", expected)},
				 {.environment = given});
		ASSERT_TRUE(child) << child.error().what;
		EXPECT_EQ(child->wait().value_or(std::nullopt).value_or(-1), 0) << expected;
	}
	::unsetenv("PUNCTUAL_TEST");
}

TEST(RunCaptured, KeepsTheStreamsApart)
{
	const Captured captured = run_shell("echo out; echo err >&2; exit 3");
	EXPECT_EQ(captured.status, 3);
	EXPECT_EQ(captured.out, "out\n");
	EXPECT_EQ(captured.err, "err\n");
}

TEST(RunCaptured, TakesMoreThanAPipeHolds)
{
	// Both streams at once: reading one to its end first would dead-lock.
	const Captured captured = run_shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2");
	EXPECT_EQ(captured.out.size(), 300'000U);
	EXPECT_EQ(captured.err.size(), 300'000U);
}

TEST(RunCaptured, DoesNotWaitForADaemonThatHoldsTheStreams)
{
	const Captured captured = run_shell("sleep 1000 & echo $!");
	EXPECT_EQ(captured.status, 0);
	::kill(std::stoi(captured.out), SIGKILL);
}

TEST(RunCaptured, EndsAProgramThatTakesTooLong)
{
	const Result<Captured> captured = run_captured({"sleep", "1000"}, 10ms);
	ASSERT_FALSE(captured);
	EXPECT_EQ(captured.error().code, ExitCode::timeout);
}

TEST(RunCaptured, StdinIsEmptyNotOurs)
{
	EXPECT_EQ(run_shell("cat").out, "");
}

TEST(Child, ThatDoesNotExistIsACleanError)
{
	const Result<Child> child = Child::spawn({"no-such-program-anywhere"});
	ASSERT_FALSE(child);
	EXPECT_EQ(child.error().code, ExitCode::usage);
	EXPECT_EQ(child.error().what, "cannot start 'no-such-program-anywhere': no such program");
	EXPECT_FALSE(Child::spawn({}));
	EXPECT_FALSE(Child::spawn({"/etc/passwd"}));  // exists, is no program
	EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left unreaped";
}

TEST(Child, InACgroupThatDoesNotExistIsNotStarted)
{
	const Result<Child> child = Child::spawn({"true"}, {.cgroup = "/no/such/cgroup"});
	ASSERT_FALSE(child);
	EXPECT_NE(child.error().what.find("/no/such/cgroup"), std::string::npos) << child.error().what;
}

TEST(Child, StatusIsShellLike)
{
	Child exits = Child::spawn({"sh", "-c", "exit 42"}).value();
	EXPECT_EQ(exits.wait().value(), 42);
	EXPECT_EQ(exits.wait().value(), 42);  // asking again gives the same
	Child killed = Child::spawn({"sleep", "1000"}).value();
	killed.send(SIGTERM);
	EXPECT_EQ(killed.wait().value(), 128 + SIGTERM);
}

TEST(Child, WaitGivesUpAtTheLimit)
{
	Child child = Child::spawn({"sleep", "1000"}).value();
	EXPECT_EQ(child.wait(1ms).value(), std::nullopt);
	child.send(SIGKILL);
	EXPECT_EQ(child.wait(std::chrono::nanoseconds::max()).value(), 128 + SIGKILL);  // a limit that would wrap
}

TEST(Child, DestructorLeavesNothingRunning)
{
	pid_t pid = -1;
	{
		const Child child = Child::spawn({"sleep", "1000"}).value();
		pid = child.pid();
	}
	EXPECT_EQ(::kill(pid, 0), -1);
	EXPECT_EQ(errno, ESRCH);
}

TEST(Child, SwapsStreamsThatOverlap)
{
	const TempDir dir = TempDir::create("punctual-test-").value();
	const UniqueFd out(::open((dir.path() / "out").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	// Standard error of the child becomes a copy of the same descriptor as its standard output.
	Child child =
	    Child::spawn({"sh", "-c", "echo a; echo b >&2"}, {.stdout_fd = out.get(), .stderr_fd = out.get()}).value();
	EXPECT_EQ(child.wait().value(), 0);
	EXPECT_EQ(read_file(dir.path() / "out").value(), "a\nb\n");
}

TEST(Child, DiesWithItsParent)
{
	int fds[2];
	ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
	const UniqueFd reader(fds[0]);
	UniqueFd writer(fds[1]);
	const pid_t parent = ::fork();
	if (parent == 0) {  // a parent that vanishes without running any destructor
		const Result<Child> child = Child::spawn({"sleep", "1000"}, {.stdout_fd = writer.get()});
		::_exit(child ? 0 : 1);
	}
	writer.reset();
	int status = -1;
	ASSERT_EQ(::waitpid(parent, &status, 0), parent);
	ASSERT_EQ(status, 0);
	char byte;
	EXPECT_EQ(::read(reader.get(), &byte, 1), 0);  // end of file only when the orphan is gone too
}

// In a process of its own: a signal mask changed here would stay for the other tests.
TEST(StopSignal, IsReadableAndNotInheritedByChildren)
{
	const pid_t pid = ::fork();
	if (pid == 0) {
		StopSignal stop = StopSignal::create().value();
		if (stop.raised() || stop.number() != 0)
			::_exit(1);
		Child child = Child::spawn({"sleep", "1000"}).value();
		child.send(SIGTERM);  // would be blocked for ever had the child our mask
		if (child.wait(30s).value() != 128 + SIGTERM)
			::_exit(2);
		::raise(SIGINT);
		::_exit(stop.raised() && stop.raised() && stop.number() == SIGINT ? 0 : 3);
	}
	int status = -1;
	ASSERT_EQ(::waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Copy, EndsWithZeroOnlyWhenItsWorkWasSurvived)
{
	auto status_of = [](const std::function<void()>& work) { return *Child::copy(work)->wait(); };
	EXPECT_EQ(status_of([] {}), 0);
	EXPECT_EQ(status_of([] { std::raise(SIGSEGV); }), 128 + SIGSEGV);
	EXPECT_NE(status_of([] { ::_exit(1); }), 0);  // as sanitizers end
}

TEST(Copy, HasMemoryOfItsOwn)
{
	int value = 1;
	EXPECT_EQ(*Child::copy([&] { value = 2; })->wait(), 0);
	EXPECT_EQ(value, 1);
}

TEST(Copy, ThatHangsIsLeftToItsLimit)
{
	Child copy = *Child::copy([] { ::pause(); });
	EXPECT_EQ(*copy.wait(std::chrono::milliseconds(10)), std::nullopt);  // and the destructor kills it
}

TEST(HangupSignal, IsTakenOnceAndStopsNothing)
{
	const pid_t pid = ::fork();
	if (pid == 0) {
		StopSignal stop = StopSignal::create_without_hangup().value();
		HangupSignal hangup = HangupSignal::create().value();
		::raise(SIGHUP);
		if (stop.raised() || !hangup.take() || hangup.take())
			::_exit(1);
		::raise(SIGTERM);
		::_exit(!hangup.take() && stop.raised() ? 0 : 2);
	}
	int status = -1;
	ASSERT_EQ(::waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace punctual
