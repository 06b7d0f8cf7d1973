// SPDX-License-Identifier: GPL-2.0-only
#include "bench/trial.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>

#include "base/file.h"
#include "bench/arm_setup.h"
#include "bench/background.h"
#include "base/clock.h"
#include "bench/environment.h"
#include "bench/packet_function.h"
#include "object/class_waits.h"

namespace punctual {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// From opening the gate to the first packet: time for every process to wake up.
constexpr Nanoseconds kLead = milliseconds(20);
constexpr Nanoseconds kStartMax = seconds(120);  // Python in an emulated machine on a busy host
// After the window: for the ring to drain and for starved background processes to pass the edge.
// Longer than the watchdog of sched_ext, so that a stalled scheduler is told as what it is.
constexpr Nanoseconds kOverrunMax = seconds(60);
constexpr Nanoseconds kPollInterval = milliseconds(2);

struct Plan {
	const BenchOptions& options;
	std::vector<uint64_t> schedule_ns;
	WorkLength work;
	StopSignal& stop;
};

// Sleeps until `fd` (-1: none) is readable or the time has come. False: the time has come.
Result<bool> sleep_for(StopSignal& stop, int fd, Nanoseconds limit)
{
	std::array<pollfd, 2> fds = {pollfd{stop.fd(), POLLIN, 0}, pollfd{fd, POLLIN, 0}};
	const timespec left{static_cast<time_t>(limit.count() / 1'000'000'000),
			    static_cast<long>(limit.count() % 1'000'000'000)};
	if (::ppoll(fds.data(), fds.size(), &left, nullptr) < 0 && errno != EINTR)
		return fail_errno(errno, ExitCode::failed, "cannot wait for the trial");
	if (stop.raised())
		return fail(ExitCode::interrupted, "interrupted");
	return fds[1].revents != 0;
}

// Polls `reached` until it holds; what `alive` reports ends the wait.
template <typename Reached, typename Alive>
Status wait_until(StopSignal& stop, std::string_view what, Nanoseconds limit, Reached reached, Alive alive)
{
	for (Nanoseconds waited{}; !reached(); waited += kPollInterval) {
		if (waited > limit)
			return fail(ExitCode::invalid, "{} after {}", what, format_duration(limit));
		TRY(Status(alive()));
		TRY(sleep_for(stop, -1, kPollInterval));
	}
	return {};
}

// Time that a hypervisor took from these CPUs, in ns since boot.
uint64_t steal_ns(const CpuList& cpus)
{
	std::istringstream lines(read_file("/proc/stat").value_or(""));
	uint64_t ticks = 0;
	for (std::string line; std::getline(lines, line);) {
		std::istringstream fields(line);
		std::string name;
		std::array<uint64_t, 8> values{};  // the eighth is steal
		fields >> name;
		for (uint64_t& value : values)
			fields >> value;
		for (const int cpu : cpus.cpus())
			if (name == fmt::format("cpu{}", cpu))
				ticks += values[7];
	}
	return ticks * (1'000'000'000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
}

void add_background(const Board& board, ArmResult& result)
{
	for (size_t i = 0; i < board.slots(); i++) {
		const BoardSlot& slot = board.slot(i);
		if (slot.unit_work != 0)
			result.background_work_ns +=
			    (slot.at_end.work - slot.at_start.work) / slot.unit_work * slot.unit_ns;
		const Progress& from = board.slot(i).at_start;
		const Progress& to = board.slot(i).at_end;
		result.background_work += to.work - from.work;
		result.background_batches += to.batches - from.batches;
		result.background_cpu_ns += to.cpu_ns - from.cpu_ns;
		result.background_voluntary_switches += to.voluntary_switches - from.voluntary_switches;
		result.background_involuntary_switches += to.involuntary_switches - from.involuntary_switches;
	}
}

EventCounts background_counts(const Board& board)
{
	EventCounts all = counts_between(board.counters(0));
	for (size_t i = 1; i < board.slots(); i++)
		all.add(counts_between(board.counters(i)));
	return all;
}

void add_waits(SchedulerWatch& watch, ArmResult& result)
{
	const Feasibility feasibility = watch.feasibility();
	result.judged_windows = feasibility.windows;
	result.infeasible_windows = feasibility.infeasible_windows;
	const std::optional<class_stats> waits = watch.waits();
	if (!waits)
		return;
	result.waits = waits->nr_waits;
	result.waits_missed = waits->nr_missed;
	result.wait_p999_ns = wait_quantile_ns(*waits, 0.999);
}

// Opens the gate and sleeps until both sides have noted their figures.
Status measure(const Plan& plan, Board& board, const Gate& gate, PacketFunction& packets, Background& background,
	       SchedulerWatch& watch)
{
	const BenchOptions& options = plan.options;
	const auto start_ns = monotonic_ns() + static_cast<uint64_t>((kLead + options.warmup).count());
	board.set_window(start_ns, start_ns + static_cast<uint64_t>(options.duration.count()));
	// One write wakes them all, and we sleep at once: whoever is first is not our choice.
	TRY(gate.open(1 + board.slots()));
	// Shortly before the window, so that our own turn is not in it.
	TRY(sleep_for(plan.stop, packets.pidfd(), options.warmup));
	watch.begin_window();
	const Nanoseconds limit = kLead + options.warmup + options.duration + kOverrunMax;
	if (!TRY(sleep_for(plan.stop, packets.pidfd(), limit)))
		return fail(ExitCode::invalid, "the packet function did not get through its packets within {}",
			    format_duration(limit));
	return wait_until(
	    plan.stop, "the background side did not reach the end of the window", kOverrunMax,
	    [&] { return board.all_done(); }, [&] { return background.still_runs(); });
}

// "3.11.2" of sys.hexversion.
void add_python_version(const Board& board, Environment& environment)
{
	const uint64_t version = board.slot(0).version;
	if (version != 0 && environment.back().first != "python")
		environment.emplace_back(
		    "python", fmt::format("{}.{}.{}", version >> 24, version >> 16 & 0xff, version >> 8 & 0xff));
}

Result<ArmResult> run_arm(const Arm& arm, const Plan& plan, Environment& environment)
{
	const BenchOptions& options = plan.options;
	const Sides sides = TRY(Sides::create(arm, options.cpus));
	const Gate gate = TRY(Gate::create());
	Board board = TRY(Board::create(options.background_processes));
	PacketFunction packets =
	    TRY(PacketFunction::start(options, sides.vnf(), gate, board, plan.schedule_ns, plan.work));
	TRY(wait_until(
	    plan.stop, "the packet function did not start", kStartMax, [&] { return packets.is_ready(); },
	    [&] { return packets.still_runs(); }));
	Background background = TRY(Background::start(options, sides.telemetry(), gate, board));
	TRY(wait_until(
	    plan.stop, "the background side did not start", kStartMax, [&] { return board.all_ready(); },
	    [&] { return background.still_runs(); }));
	add_python_version(board, environment);
	TRY(favour(arm, packets.pid(), sides));
	SchedulerWatch watch = TRY(SchedulerWatch::begin(arm, sides.vnf()));
	TRY(sleep_for(plan.stop, -1, options.settle));

	const uint64_t steal_before_ns = steal_ns(options.cpus);
	const Status measured = measure(plan, board, gate, packets, background, watch);
	ArmResult result;
	result.scheduler = watch.ops();
	add_waits(watch, result);
	result.enable_seq = watch.enable_seq();
	TRY(watch.end());  // first: an ejection explains whatever else went wrong
	TRY(Status(measured));
	PacketFigures figures = TRY(packets.finish());
	result.name = arm.name;
	result.budget_ns = arm.budget ? static_cast<uint64_t>(arm.budget->count()) : 0;
	result.latency = std::move(figures.latency);
	result.packets = std::move(figures.account);
	result.offered = figures.offered;
	result.dropped = figures.dropped;
	result.sleeps = figures.sleeps;
	result.window_ns = static_cast<uint64_t>(options.duration.count());
	result.vnf_cpu_ns = figures.used.cpu_ns;
	result.vnf_voluntary_switches = figures.used.voluntary_switches;
	result.vnf_involuntary_switches = figures.used.involuntary_switches;
	result.steal_ns = steal_ns(options.cpus) - steal_before_ns;
	result.vnf_work_ns = figures.work_ns;
	add_background(board, result);
	if (options.counters)
		result.counts = SideCounts{figures.counts, background_counts(board)};
	if (options.cpus.size() > 1)
		result.background_work_ns = 0;  // the CPUs need not have been busy all the time
	return result;
}

// On the CPU where the packets will be served, and back.
Result<WorkLength> calibrate_on(const CpuList& cpus, Nanoseconds work)
{
	cpu_set_t before;
	CPU_ZERO(&before);
	if (::sched_getaffinity(0, sizeof(before), &before) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot read the CPU mask");
	TRY(pin(0, cpus));
	Result<WorkLength> length = calibrate_work(work);
	::sched_setaffinity(0, sizeof(before), &before);
	return length;
}

}  // namespace

Result<BenchResult> run_bench(const std::vector<Arm>& arms, const BenchOptions& options, StopSignal& stop,
			      const std::function<void(const Arm&)>& before_arm)
{
	if (::geteuid() != 0)
		return fail(ExitCode::lacking,
			    "the benchmark makes cgroups and sets scheduling policies: run as root, "
			    "or use --lab");
	for (const Arm& arm : arms) {
		TRY(refuse_impossible(arm));
		TRY(refuse_too_few_cpus(arm, options.cpus));
	}
	if (options.counters)
		TRY(PerfCounters::open());  // so that whoever lacks something learns it now, and from us
	std::vector<uint64_t> schedule_ns =
	    TRY(make_schedule({options.arrivals, options.rate_per_s, options.warmup + options.duration, options.seed}));
	const WorkLength work = TRY(calibrate_on(options.cpus, options.work));
	const Plan plan{options, std::move(schedule_ns), work, stop};
	BenchResult result;
	result.environment = read_environment(options, work);
	for (const Arm& arm : arms) {
		before_arm(arm);
		result.arms.push_back(TRY(run_arm(arm, plan, result.environment)));
	}
	return result;
}

}  // namespace punctual
