// SPDX-License-Identifier: GPL-2.0-only
#include "object/program_cost.h"

#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/clock.h"

namespace punctual {
namespace {

constexpr int kRounds = 10;
constexpr int kRunsPerRound = 200;
constexpr int kStructOpsRunsPerRound = 10;  // each makes a trampoline of its own, which takes a hundred times as long

// A reading of all programs that took longer is done again: its reader lost the CPU, while the programs went on.
constexpr u64 kReadingNs = 200'000;
constexpr int kReadings = 20;

constexpr bpf_insn kReturnZero[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};

std::optional<ProgramCost> read_statistics(int fd)
{
	bpf_prog_info info = {};
	u32 length = sizeof(info);
	if (bpf_prog_get_info_by_fd(fd, &info, &length) != 0)
		return std::nullopt;
	return ProgramCost{.nr_runs = info.run_cnt, .run_ns = info.run_time_ns, .calibration_ns = 0};
}

// Nobody calls it but the test run below.
UniqueFd load_empty()
{
	return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "punctual_empty", "GPL", kReturnZero,
				      std::size(kReturnZero), nullptr));
}

// The kernel has a struct_ops of its own for tests, which is called as a scheduler is. Invalid where it is missing.
UniqueFd load_empty_struct_ops()
{
	btf* types = btf__load_vmlinux_btf();
	if (!types)
		return {};
	const int id = btf__find_by_name_kind(types, "bpf_dummy_ops", BTF_KIND_STRUCT);
	btf__free(types);
	if (id <= 0)
		return {};
	constexpr bpf_attach_type kFirstMember{};  // s32 test_1(struct bpf_dummy_ops_state *)
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = kFirstMember,
		    .attach_btf_id = static_cast<u32>(id));
	return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "punctual_empty", "GPL", kReturnZero,
				      std::size(kReturnZero), &options));
}

// The least of some rounds: the rest was interrupted. Both kinds take an array of arguments.
Result<u64> calibrate(int program, size_t nr_arguments, int runs_per_round)
{
	u64 state = 0;  // of the test struct_ops; to a tracepoint just a number
	std::array<u64, 8> arguments = {reinterpret_cast<uintptr_t>(&state)};
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments.data(),
		    .ctx_size_in = static_cast<u32>(nr_arguments * sizeof(u64)));
	u64 least_ns = ~0ULL;
	for (int round = 0; round < kRounds; round++) {
		const ProgramCost before = read_statistics(program).value_or(ProgramCost{});
		for (int i = 0; i < runs_per_round; i++)
			if (const int error = bpf_prog_test_run_opts(program, &options); error != 0)
				return fail_errno(-error, ExitCode::failed, "cannot calibrate BPF statistics");
		const ProgramCost after = read_statistics(program).value_or(before);
		if (const u64 nr = after.nr_runs - before.nr_runs; nr > 0)
			least_ns = std::min(least_ns, (after.run_ns - before.run_ns) / nr);
	}
	return least_ns == ~0ULL ? 0 : least_ns;
}

Result<u64> calibrate_for(CalledBy called_by)
{
	if (called_by == CalledBy::trampoline)
		if (const UniqueFd program = load_empty_struct_ops())
			if (const auto calibration_ns = calibrate(program.get(), 1, kStructOpsRunsPerRound))
				return calibration_ns;
	const UniqueFd program = load_empty();
	if (!program)
		return fail_errno(errno, ExitCode::lacking, "cannot load a BPF program to calibrate BPF statistics");
	return calibrate(program.get(), 8, kRunsPerRound);
}

}  // namespace

std::optional<u64> program_run_ns(u32 id)
{
	const UniqueFd fd(bpf_prog_get_fd_by_id(id));
	const std::optional<ProgramCost> cost = fd ? read_statistics(fd.get()) : std::nullopt;
	return cost && cost->run_ns > 0 ? std::optional(cost->run_ns) : std::nullopt;
}

Result<ProgramCostMeter> ProgramCostMeter::start(const std::vector<MeteredProgram>& programs)
{
	ProgramCostMeter meter;
	meter.statistics_ = UniqueFd(bpf_enable_stats(BPF_STATS_RUN_TIME));
	if (!meter.statistics_)
		return fail_errno(errno, ExitCode::lacking, "cannot turn on the kernel's BPF statistics");
	std::array<std::optional<u64>, 2> calibrations_ns;
	meter.fds_.reserve(programs.size());
	meter.calibrations_ns_.reserve(programs.size());
	for (const MeteredProgram& program : programs) {
		auto& calibration_ns = calibrations_ns[static_cast<size_t>(program.called_by)];
		if (!calibration_ns)
			calibration_ns = TRY(calibrate_for(program.called_by));
		meter.fds_.push_back(program.fd);
		meter.calibrations_ns_.push_back(*calibration_ns);
	}
	meter.before_ = meter.read_at_once();
	return meter;
}

ProgramCostMeter::Reading ProgramCostMeter::read_at_once() const
{
	Reading best;
	u64 best_ns = ~0ULL;
	for (int i = 0; i < kReadings && best_ns > kReadingNs; i++) {
		Reading reading;
		reading.programs.reserve(fds_.size());
		const u64 begin_ns = monotonic_ns();
		for (const int fd : fds_)
			reading.programs.push_back(read_statistics(fd).value_or(ProgramCost{}));
		const u64 took_ns = monotonic_ns() - begin_ns;
		reading.at_ns = begin_ns + took_ns / 2;
		if (took_ns < best_ns) {
			best = std::move(reading);
			best_ns = took_ns;
		}
	}
	return best;
}

ProgramCosts ProgramCostMeter::read() const
{
	const Reading now = read_at_once();
	ProgramCosts costs;
	costs.elapsed_ns = now.at_ns - before_.at_ns;
	costs.programs.reserve(fds_.size());
	for (size_t i = 0; i < fds_.size(); i++) {
		ProgramCost cost;
		cost.calibration_ns = calibrations_ns_[i];
		const ProgramCost& before = before_.programs[i];
		cost.nr_runs = std::max(now.programs[i].nr_runs, before.nr_runs) - before.nr_runs;
		const u64 run_ns = std::max(now.programs[i].run_ns, before.run_ns) - before.run_ns;
		cost.run_ns = run_ns - std::min(run_ns, cost.nr_runs * cost.calibration_ns);
		costs.programs.push_back(cost);
	}
	return costs;
}

}  // namespace punctual
