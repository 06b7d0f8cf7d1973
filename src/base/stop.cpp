// SPDX-License-Identifier: GPL-2.0-only
#include "base/stop.h"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

namespace punctual {
namespace {

// Under nohup SIGHUP is ignored. A blocked signal would reach the signalfd all the same, so leave it alone.
bool is_ignored(int signal_number)
{
	struct sigaction action;
	return ::sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Blocked before the descriptor exists: a signal in between waits instead of killing us.
Result<UniqueFd> catch_signals(const sigset_t& signals)
{
	if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0)
		return fail_errno(error, ExitCode::failed, "cannot block signals");
	UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, "cannot create a signalfd");
	return fd;
}

sigset_t kinds_of_stop()
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	return signals;
}

}  // namespace

Result<StopSignal> StopSignal::create()
{
	sigset_t signals = kinds_of_stop();
	if (!is_ignored(SIGHUP))
		sigaddset(&signals, SIGHUP);
	return StopSignal(TRY(catch_signals(signals)));
}

Result<StopSignal> StopSignal::create_without_hangup()
{
	return StopSignal(TRY(catch_signals(kinds_of_stop())));
}

bool StopSignal::raised()
{
	signalfd_siginfo info;
	if (number_ == 0 && ::read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
		number_ = static_cast<int>(info.ssi_signo);
	return number_ != 0;
}

Result<HangupSignal> HangupSignal::create()
{
	sigset_t signals;
	sigemptyset(&signals);
	if (!is_ignored(SIGHUP))
		sigaddset(&signals, SIGHUP);
	return HangupSignal(TRY(catch_signals(signals)));
}

bool HangupSignal::take()
{
	bool taken = false;
	signalfd_siginfo info;
	while (::read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
		taken = true;
	return taken;
}

}  // namespace punctual
