// SPDX-License-Identifier: GPL-2.0-only
#include "base/sched_ext_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace punctual {
namespace {

constexpr int kRecordsMax = 100'000;   // a look: no log holds more, and one that grows meanwhile waits for the next
constexpr size_t kRecordBytes = 8192;  // the kernel's limit; it refuses to cut one
constexpr char kLevelOfFaults = '3';   // KERN_ERR; an orderly end is told with KERN_INFO
constexpr char kSeparator[] = "\" disabled (";
constexpr char kPrefix[] = ";sched_ext: BPF scheduler \"";

}  // namespace

std::optional<SchedExtEnd> sched_ext_end_of(std::string_view record)
{
	record = record.substr(0, record.find('\n'));
	const size_t prefix = record.find(kPrefix);
	// The prefix ends the kernel's own part: nobody's text comes before it.
	if (prefix == std::string_view::npos || prefix != record.find(';'))
		return std::nullopt;
	const std::string_view text = record.substr(prefix + sizeof(kPrefix) - 1);
	const size_t separator = text.find(kSeparator);
	const size_t end = text.rfind(')');
	if (separator == std::string_view::npos || end == std::string_view::npos || end < separator)
		return std::nullopt;
	const size_t reason = separator + sizeof(kSeparator) - 1;
	return SchedExtEnd{std::string(text.substr(0, separator)), std::string(text.substr(reason, end - reason)),
			   record.starts_with(kLevelOfFaults) && record.substr(1).starts_with(',')};
}

SchedExtLog::SchedExtLog() : kmsg_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}

void SchedExtLog::look()
{
	std::array<char, kRecordBytes> record;
	for (int i = 0; kmsg_ && i < kRecordsMax; i++) {
		const ssize_t size = read(kmsg_.get(), record.data(), record.size());
		if (size < 0 && errno == EPIPE)  // some were overwritten before we came; the next read goes on
			continue;
		if (size <= 0)
			return;
		auto end = sched_ext_end_of({record.data(), static_cast<size_t>(size)});
		if (!end)
			continue;
		nr_ejections_ += end->is_ejection;
		last_end_ = std::move(end);
	}
}

}  // namespace punctual
