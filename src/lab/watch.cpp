// SPDX-License-Identifier: GPL-2.0-only
#include "lab/watch.h"

#include <poll.h>

#include <array>
#include <charconv>

#include "base/units.h"
#include "lab/console_tail.h"
#include "lab/file_tree.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds kBootLimit{120};        // busy hosts were seen to need 60
constexpr seconds kSystemBootLimit{600};  // of a Debian root: ten times the work
constexpr seconds kAnswerLimit{10};
constexpr int kPollMs = 5;
constexpr int kTailLines = 30;
constexpr size_t kCaptureMax = 64UL << 20;
constexpr size_t kFilesMax = 1UL << 30;

// The reason stands above the call trace, and what led to it above the reason.
std::string around_panic(std::string_view console)
{
	size_t end = console.find("Kernel panic");
	for (int line = 0; line < kTailLines * 2 / 3 && end != console.npos; line++)
		end = console.find('\n', end + 1);
	return console_tail(console.substr(0, end), kTailLines);
}

}  // namespace

Watch::Watch(const LabOptions& options, const LabListener& listener, Channel channel, Machine machine, bool booted)
    : options_(options), listener_(listener), channel_(std::move(channel)), machine_(std::move(machine))
{
	if (booted)
		booted_ = start_;
}

Status Watch::until(bool Watch::* goal)
{
	for (;;) {
		const bool alive = machine_.running();  // before receiving: the last frames come first
		TRY(receive());
		if (this->*goal)
			return {};
		TRY(check_stop());
		if (!alive)
			return died();
		TRY(check_clock());
		std::array<pollfd, 2> fds = {pollfd{machine_.pidfd(), POLLIN, 0}, pollfd{options_.stop_fd, POLLIN, 0}};
		::poll(fds.data(), fds.size(), kPollMs);
	}
}

Status Watch::receive()
{
	TRY(channel_.receive([this](FrameKind kind, std::string_view payload) { take(kind, payload); }));
	if (!trouble_.what.empty())
		return std::unexpected(trouble_);
	return {};
}

Result<std::optional<std::string>> Watch::save_when_ready(int state_fd)
{
	TRY(until(&Watch::waiting_));
	TRY(machine_.pause());
	TRY(receive());
	if (times_waiting_ != 1)  // the window closed before we came
		return std::nullopt;
	TRY(machine_.save(state_fd));
	machine_.stop();
	return machine_.console().text();
}

Result<LabResult> Watch::until_ended()
{
	TRY(until(&Watch::ended_));
	machine_.stop();  // it would power off by itself, 0.2 s later
	if (options_.out.empty())
		return std::move(result_);
	std::error_code error;
	fs::create_directories(options_.out, error);
	if (error)
		return fail(ExitCode::usage, "cannot create {}: {}", options_.out.native(), error.message());
	TRY(unpack_archive(files_, options_.out));
	return std::move(result_);
}

void Watch::take(FrameKind kind, std::string_view payload)
{
	switch (kind) {
	case FrameKind::booted:
		booted_ = Clock::now();
		break;
	case FrameKind::waiting:
		waiting_ = true;
		times_waiting_++;
		break;
	case FrameKind::started:
		result_.start_time = Clock::now() - start_;
		if (listener_.on_started)
			listener_.on_started();
		break;
	case FrameKind::out:
		take_output(payload, listener_.out, result_.out);
		break;
	case FrameKind::err:
		take_output(payload, listener_.err, result_.err);
		break;
	case FrameKind::files:
		if (options_.out.empty())
			break;
		if (files_.size() + payload.size() > kFilesMax)
			trouble_ = {ExitCode::failed, "the command left more than 1 GiB in /out"};
		else
			files_.append(payload);
		break;
	case FrameKind::ended:
		ended_ = true;
		std::from_chars(payload.data(), payload.data() + payload.size(), result_.status);
		break;
	case FrameKind::broken:
		trouble_ = {ExitCode::failed, fmt::format("inside the lab: {}", payload)};
		break;
	}
}

void Watch::take_output(std::string_view bytes, const std::function<void(std::string_view)>& sink,
			std::string& captured)
{
	if (sink)
		sink(bytes);
	else if (captured.size() + bytes.size() > kCaptureMax)
		trouble_ = {ExitCode::failed, "the command in the lab printed more than 64 MiB"};
	else
		captured.append(bytes);
}

Status Watch::check_stop() const
{
	pollfd stop{options_.stop_fd, POLLIN, 0};
	if (::poll(&stop, 1, 0) > 0)
		return fail(ExitCode::interrupted, "interrupted");
	return {};
}

Status Watch::check_clock()
{
	const Clock::time_point now = Clock::now();
	if (!booted_) {
		const seconds limit = options_.root.empty() ? kBootLimit : kSystemBootLimit;
		if (now - start_ > limit)
			return fail(ExitCode::failed, "the guest did not boot within {}; the end of its console:{}",
				    format_duration(limit), tail());
		return {};
	}
	if (!asked_ && now - *booted_ > options_.timeout) {
		answers_before_ = channel_.answers();
		asked_ = now;
		machine_.console().type("\n");
	}
	if (asked_ && channel_.answers() != answers_before_)
		return fail(ExitCode::timeout, "the command in the lab did not end within {} (the guest is alive)",
			    format_duration(options_.timeout));
	if (asked_ && now - *asked_ > kAnswerLimit)
		return fail(
		    ExitCode::failed,
		    "the guest hangs: it did not end within {} and gives no sign of life; the end of its console:{}",
		    format_duration(options_.timeout), tail());
	return {};
}

// QEMU has ended, but the job has not.
std::unexpected<Error> Watch::died() const
{
	const std::string console = machine_.console().text();
	const std::string errors = machine_.qemu_errors();
	if (console.find("Kernel panic") != console.npos)
		return fail(ExitCode::failed, "the guest's kernel panicked; its console around that:{}",
			    around_panic(console));
	if (!booted_ && !errors.empty())
		return fail(ExitCode::failed, "QEMU did not start the guest:{}", console_tail(errors, kTailLines));
	return fail(ExitCode::failed, "the guest went down before the command ended; the end of its console:{}{}",
		    tail(), console_tail(errors, kTailLines));
}

std::string Watch::tail() const
{
	return console_tail(machine_.console().text(), kTailLines);
}

}  // namespace punctual
