// SPDX-License-Identifier: GPL-2.0-only
#include "cli/webhook.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/fd.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPostMax = "10";  // seconds, for curl
constexpr std::chrono::seconds kChildMax{15};
constexpr std::chrono::seconds kFinish{5};
constexpr std::chrono::milliseconds kFinishPause{20};

Result<UniqueFd> memory_file(const std::string& text)
{
	UniqueFd fd(::memfd_create("punctual-alert", MFD_CLOEXEC));
	if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
	    ::lseek(fd.get(), 0, SEEK_SET) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot keep an alert in memory");
	return fd;
}

void say(std::string_view what)
{
	fmt::print(stderr, "guard: webhook: {}\n", what);
}

}  // namespace

void Webhook::post(std::string json)
{
	if (url_.empty())
		return;
	if (waiting_.size() >= kWaitingMax) {
		waiting_.pop_front();
		say("too many alerts wait; the oldest is left out");
	}
	waiting_.push_back(std::move(json));
	step();
}

void Webhook::start()
{
	const std::string json = std::move(waiting_.front());
	waiting_.pop_front();
	const Result<UniqueFd> body = memory_file(json);
	if (!body)
		return say(body.error().what);
	// -q: no configuration of a user; --globoff: the URL means itself.
	Result<Child> child =
	    Child::spawn({"curl", "-q", "--silent", "--show-error", "--fail", "--globoff", "--proto", "=http,https",
			  "--max-time", kPostMax, "--header", "Content-Type: application/json", "--data-binary", "@-",
			  "--output", "/dev/null", "--url", url_},
			 {.stdin_fd = body->get(), .nice = nice_});
	if (!child)
		return say(child.error().what);
	child_.emplace(std::move(*child));
	ends_at_ = Clock::now() + kChildMax;
}

void Webhook::step()
{
	if (child_) {
		const auto ended = child_->wait(std::chrono::nanoseconds(0));
		if (ended && !*ended && Clock::now() < ends_at_)
			return;
		if (!ended || !*ended)
			say("curl did not end and was killed");
		else if (**ended != 0)
			say(fmt::format("an alert was not delivered (curl ended with status {})", **ended));
		child_.reset();
	}
	if (!waiting_.empty())
		start();
}

void Webhook::finish()
{
	const auto give_up_at = Clock::now() + kFinish;
	for (step(); child_ && Clock::now() < give_up_at; step())
		std::this_thread::sleep_for(kFinishPause);
	if (child_)
		say("not all alerts were delivered in time");
	child_.reset();
	waiting_.clear();
}

}  // namespace punctual
