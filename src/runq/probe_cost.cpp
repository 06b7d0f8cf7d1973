// SPDX-License-Identifier: GPL-2.0-only
#include "runq/probe_cost.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include <bpf/bpf.h>

namespace punctual {
namespace {

constexpr int kRounds = 10;
constexpr int kRunsPerRound = 200;

ProbeCost sum_of(std::span<const int> programs)
{
	ProbeCost sum;
	for (int fd : programs) {
		bpf_prog_info info = {};
		u32 length = sizeof(info);
		if (bpf_prog_get_info_by_fd(fd, &info, &length) != 0)
			continue;
		sum.nr_events += info.run_cnt;
		sum.run_ns += info.run_time_ns;
	}
	return sum;
}

// The least of some rounds: the rest was interrupted.
Result<u64> calibrate(int program)
{
	std::array<u64, 8> context = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = context.data(), .ctx_size_in = sizeof(context));
	u64 least_ns = ~0ULL;
	for (int round = 0; round < kRounds; round++) {
		const ProbeCost before = sum_of({&program, 1});
		for (int i = 0; i < kRunsPerRound; i++)
			if (int error = bpf_prog_test_run_opts(program, &options); error != 0)
				return fail_errno(-error, ExitCode::failed, "cannot calibrate BPF statistics");
		const ProbeCost after = sum_of({&program, 1});
		const u64 nr = after.nr_events - before.nr_events;
		if (nr > 0)
			least_ns = std::min(least_ns, (after.run_ns - before.run_ns) / nr);
	}
	return least_ns == ~0ULL ? 0 : least_ns;
}

}  // namespace

Result<CostMeter> CostMeter::start(std::vector<int> programs, int empty_program)
{
	CostMeter meter;
	meter.statistics_ = UniqueFd(bpf_enable_stats(BPF_STATS_RUN_TIME));
	if (!meter.statistics_)
		return fail_errno(errno, ExitCode::lacking, "cannot turn on the kernel's BPF statistics");
	meter.calibration_ns_ = TRY(calibrate(empty_program));
	meter.programs_ = std::move(programs);
	meter.before_ = sum_of(meter.programs_);
	meter.since_ = std::chrono::steady_clock::now();
	return meter;
}

ProbeCost CostMeter::read() const
{
	ProbeCost cost = sum_of(programs_);
	cost.nr_events -= before_.nr_events;
	cost.run_ns -= before_.run_ns;
	cost.run_ns -= std::min(cost.run_ns, cost.nr_events * calibration_ns_);
	cost.calibration_ns = calibration_ns_;
	cost.elapsed_ns = static_cast<u64>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - since_).count());
	return cost;
}

}  // namespace punctual
