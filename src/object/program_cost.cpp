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

namespace punctual {
namespace {

constexpr int kRounds = 10;
constexpr int kRunsPerRound = 200;
constexpr int kStructOpsRunsPerRound = 10;  // each makes a trampoline of its own, which takes a hundred times as long

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

Result<ProgramCostMeter> ProgramCostMeter::start(const std::vector<MeteredProgram>& programs)
{
	ProgramCostMeter meter;
	meter.statistics_ = UniqueFd(bpf_enable_stats(BPF_STATS_RUN_TIME));
	if (!meter.statistics_)
		return fail_errno(errno, ExitCode::lacking, "cannot turn on the kernel's BPF statistics");
	std::array<std::optional<u64>, 2> calibrations_ns;
	meter.rows_.reserve(programs.size());
	for (const MeteredProgram& program : programs) {
		auto& calibration_ns = calibrations_ns[static_cast<size_t>(program.called_by)];
		if (!calibration_ns)
			calibration_ns = TRY(calibrate_for(program.called_by));
		meter.rows_.push_back({program.fd, {}, {.calibration_ns = *calibration_ns}});
	}
	for (Row& row : meter.rows_)
		row.before = read_statistics(row.fd).value_or(ProgramCost{});
	meter.since_ = std::chrono::steady_clock::now();
	return meter;
}

std::vector<ProgramCost> ProgramCostMeter::read()
{
	std::vector<ProgramCost> costs;
	costs.reserve(rows_.size());
	for (Row& row : rows_) {
		if (const auto now = read_statistics(row.fd)) {
			row.last.nr_runs = now->nr_runs - row.before.nr_runs;
			const u64 run_ns = now->run_ns - row.before.run_ns;
			row.last.run_ns = run_ns - std::min(run_ns, row.last.nr_runs * row.last.calibration_ns);
		}
		costs.push_back(row.last);
	}
	return costs;
}

u64 ProgramCostMeter::elapsed_ns() const
{
	return static_cast<u64>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - since_).count());
}

}  // namespace punctual
