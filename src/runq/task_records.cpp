// SPDX-License-Identifier: GPL-2.0-only
#include "runq/task_records.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/fd.h"

namespace punctual {
namespace {

constexpr size_t kReadBytes = 64UL * 1024;
constexpr size_t kRecordsMax = 1 << 22;  // as many as a kernel has pids

}  // namespace

Result<std::vector<runq_task_record>> read_task_records(const bpf_link* iterator)
{
	UniqueFd fd(bpf_iter_create(bpf_link__fd(iterator)));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, "cannot look at the tasks");
	std::vector<char> bytes;
	size_t used = 0;
	while (used < kRecordsMax * sizeof(runq_task_record)) {
		bytes.resize(used + kReadBytes);
		const ssize_t got = read(fd.get(), bytes.data() + used, kReadBytes);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return fail_errno(errno, ExitCode::failed, "cannot look at the tasks");
		if (got == 0)
			break;
		used += static_cast<size_t>(got);
	}
	std::vector<runq_task_record> records(used / sizeof(runq_task_record));
	if (!records.empty())
		std::memcpy(records.data(), bytes.data(), records.size() * sizeof(runq_task_record));
	return records;
}

}  // namespace punctual
