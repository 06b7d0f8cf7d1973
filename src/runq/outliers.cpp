// SPDX-License-Identifier: GPL-2.0-only
// Takes the waits above the threshold out of the ring buffer.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <bpf/libbpf.h>

#include "runq/collector_state.h"

namespace punctual {
namespace {

std::string text_of(const char (&comm)[RUNQ_COMM_BYTES])
{
	return std::string(comm, strnlen(comm, sizeof(comm)));
}

int take(void* context, void* record, size_t bytes)
{
	if (bytes >= sizeof(runq_outlier))
		static_cast<std::vector<runq_outlier>*>(context)->push_back(*static_cast<runq_outlier*>(record));
	return 0;
}

}  // namespace

void RingFree::operator()(ring_buffer* ring) const
{
	ring_buffer__free(ring);
}

Result<std::vector<WaitOutlier>> Collector::State::drain_outliers()
{
	if (!ring)
		ring.reset(ring_buffer__new(probes.map_fd("runq_outliers"), take, &drained, nullptr));
	if (!ring)
		return fail_errno(errno, ExitCode::failed, "cannot map the ring buffer of outliers");
	drained.clear();
	ring_buffer__consume(ring.get());
	std::vector<WaitOutlier> outliers;
	for (const runq_outlier& record : drained) {
		WaitOutlier outlier = {.end_ns = record.end_ns,
				       .wait_ns = record.wait_ns,
				       .kind = static_cast<WaitKind>(record.kind % kWaitKinds),
				       .cpu = record.cpu,
				       .pid = record.pid,
				       .comm = text_of(record.comm),
				       .cgroup_id = rows.id_of(record.row).value_or(0),
				       .runners = {}};
		for (u32 i = 0; i < std::min(record.nr_runners, RUNQ_RUNNERS); i++) {
			const runq_runner& runner = record.runners[i];
			outlier.runners.push_back({.pid = runner.pid,
						   .comm = text_of(runner.comm),
						   .cgroup_id = rows.id_of(runner.row).value_or(0),
						   .ran_ns = runner.to_ns - std::min(runner.from_ns, runner.to_ns)});
		}
		outliers.push_back(std::move(outlier));
	}
	std::ranges::sort(outliers, {}, &WaitOutlier::end_ns);
	return outliers;
}

}  // namespace punctual
