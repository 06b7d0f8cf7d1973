// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "runq/frame.h"
#include "runq/payload.h"
#include "runq/recording.h"

namespace punctual {

struct RecordingWriter::State {
	UniqueFd fd;
	std::filesystem::path path;
	WindowEncoder windows;
	u64 bytes = 0;  // of whole frames
	std::optional<Error> failed;

	Status write(std::string_view whole);
	Status append(std::string_view payload);
	std::unexpected<Error> give_up(int error_number);
};

RecordingWriter::RecordingWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;
RecordingWriter& RecordingWriter::operator=(RecordingWriter&&) noexcept = default;
RecordingWriter::~RecordingWriter() = default;

// What a write left behind half done is cut off again.
std::unexpected<Error> RecordingWriter::State::give_up(int error_number)
{
	[[maybe_unused]] const int cut = ::ftruncate(fd.get(), static_cast<off_t>(bytes));
	const char* remedy = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG
				 ? ": free space, or record for a shorter time or to another disk"
				 : "";
	failed = fail_errno(error_number, ExitCode::failed,
			    fmt::format("cannot write {}; its {} whole bytes are kept{}", path.native(), bytes, remedy))
		     .error();
	return std::unexpected(*failed);
}

// One call: a frame is in the file as a whole or, after a crash in between, recognized as cut.
Status RecordingWriter::State::write(std::string_view whole)
{
	ssize_t written = -1;
	do
		written = ::write(fd.get(), whole.data(), whole.size());
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return give_up(errno);
	if (static_cast<size_t>(written) != whole.size())  // only a disk or a limit that is full does that
		return give_up(ENOSPC);
	bytes += whole.size();
	return {};
}

Status RecordingWriter::State::append(std::string_view payload)
{
	if (failed)
		return std::unexpected(*failed);
	const std::string frame = TRY(encode_frame(payload));
	return write(frame);
}

Result<RecordingWriter> RecordingWriter::create(const std::filesystem::path& path,
						const RecordingEnvironment& environment, bool overwrite)
{
	auto state = std::make_unique<State>();
	state->path = path;
	state->fd =
	    UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_EXCL), 0644));
	if (!state->fd && errno == EEXIST)
		return fail(ExitCode::usage, "{} exists already: choose another name, or --force to replace it",
			    path.native());
	if (!state->fd)
		return fail_errno(errno, ExitCode::usage, fmt::format("cannot create {}", path.native()));
	TRY(state->write(recording_header()));
	TRY(state->append(environment_payload(environment)));
	return RecordingWriter(std::move(state));
}

Status RecordingWriter::append_snapshot(const WaitSnapshot& snapshot)
{
	return state_->append(state_->windows.encode(snapshot));
}

Status RecordingWriter::append_outliers(std::span<const WaitOutlier> outliers)
{
	return outliers.empty() ? Status() : state_->append(outliers_payload(outliers));
}

Status RecordingWriter::append_scheduler(const SchedulerChange& change)
{
	return state_->append(scheduler_payload(change));
}

Status RecordingWriter::finish(u64 at_ns)
{
	return state_->append(end_payload(at_ns));
}

u64 RecordingWriter::bytes() const
{
	return state_->bytes;
}

}  // namespace punctual
