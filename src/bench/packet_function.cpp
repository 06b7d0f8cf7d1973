// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packet_function.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "bench/packet_ring.h"

namespace punctual {

// Written by the process, read by us once it has ended.
struct PacketFunction::Report {
	uint64_t ready;
	int error_number;  // why the process gave up
	uint64_t offered;
	uint64_t dropped;
	uint64_t popped;
	uint64_t sleeps;
	uint64_t probe_ns;  // kProbePackets packets, when nothing interrupts
	Progress used;
	uint64_t sum_ns;
	CounterRecord counters;
	uint64_t buckets_filled;
	HistogramBucket buckets[LOGLIN_FINE_BUCKETS];
};

namespace {

constexpr size_t kProbePackets = 16;
constexpr int kProbes = 16;

Progress difference(const Progress& from, const Progress& to)
{
	return Progress{to.work - from.work, to.batches - from.batches, to.cpu_ns - from.cpu_ns,
			to.voluntary_switches - from.voluntary_switches,
			to.involuntary_switches - from.involuntary_switches};
}

// serve_packets() on the real clock. Times count from the start of the schedule.
struct RealWorld {
	uint64_t origin_ns;
	uint64_t count_from_ns;
	uint64_t iterations;
	Histogram latency{};
	uint64_t value = 1;
	uint64_t sleeps = 0;
	bool counting = false;
	Progress at_start{};
	const PerfCounters* counters = nullptr;  // none: off
	CounterSnapshot* counted_at_start = nullptr;

	uint64_t now_ns() const { return monotonic_ns() - origin_ns; }
	void work() { value = turn(iterations, value); }

	void sleep_until(uint64_t at_ns)
	{
		sleeps += counting;
		sleep_until_ns(origin_ns + at_ns);
	}

	void done(uint64_t arrival_ns, uint64_t at_ns)
	{
		if (arrival_ns < count_from_ns)
			return;
		latency.record(at_ns - arrival_ns);
		if (!counting) {  // two system calls, once, right after the first counted packet
			counting = true;
			at_start = progress_now(0, 0);
			if (counters != nullptr)
				counters->read(*counted_at_start);
		}
	}
};

// What packets cost that are all there: the work and the loop around it, no sleep. Whatever disturbs can only
// lengthen, so the fastest of several trials counts.
uint64_t undisturbed_ns(uint64_t iterations)
{
	const std::vector<uint64_t> arrivals_ns(kProbePackets, 0);
	RealWorld world{.origin_ns = 0, .count_from_ns = 0, .iterations = iterations};
	world.counting = true;
	uint64_t fastest_ns = ~0ULL;
	for (int i = 0; i < kProbes; i++) {
		PacketRing ring(arrivals_ns, kProbePackets);
		const uint64_t start_ns = monotonic_ns();
		serve_packets(ring, world);
		fastest_ns = std::min(fastest_ns, monotonic_ns() - start_ns);
	}
	return fastest_ns;
}

}  // namespace

int PacketFunction::run(Report& report, const BenchOptions& options, const Gate& gate, const Board& board,
			std::span<const uint64_t> schedule_ns, WorkLength work)
{
	const auto warmup_ns = static_cast<uint64_t>(options.warmup.count());
	PacketRing ring(schedule_ns, options.ring_packets, warmup_ns);
	RealWorld world{.origin_ns = 0, .count_from_ns = warmup_ns, .iterations = work.iterations};
	// A page fault or 50 us of timer slack in the loop would be measured as the scheduler's fault.
	if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0 || ::prctl(PR_SET_TIMERSLACK, 1) != 0) {
		report.error_number = errno;
		return 1;
	}
	std::optional<PerfCounters> counters;
	if (options.counters) {
		Result<PerfCounters> opened = PerfCounters::open();
		if (!opened)
			return 1;  // it opened a moment ago for whoever started us
		counters.emplace(std::move(*opened));
		report.counters.supported = counters->supported();
		world.counters = &*counters;
		world.counted_at_start = &report.counters.at_start;
	}
	report.probe_ns = undisturbed_ns(work.iterations);
	Board::raise(report.ready);
	gate.pass();
	world.origin_ns = board.start_ns() - warmup_ns;
	sleep_until_ns(world.origin_ns);  // times of the world are unsigned: there is none before its origin
	serve_packets(ring, world, 1000 * options.rx_usecs);

	if (counters)
		counters->read(report.counters.at_end);
	report.used = difference(world.at_start, progress_now(ring.popped(), 0));
	report.offered = ring.offered();
	report.dropped = ring.dropped();
	report.popped = ring.popped();
	report.sleeps = world.sleeps;
	report.sum_ns = world.latency.sum_ns();
	const std::vector<HistogramBucket> buckets = world.latency.buckets();
	report.buckets_filled = buckets.size();
	std::ranges::copy(buckets, report.buckets);
	// Reading `value` keeps the compiler from dropping the work.
	return world.value == 0 && work.iterations == 0 ? 1 : 0;
}

Result<PacketFunction> PacketFunction::start(const BenchOptions& options, const ScopedCgroup& cgroup, const Gate& gate,
					     const Board& board, std::span<const uint64_t> schedule_ns, WorkLength work)
{
	if (options.plane != PacketPlane::ring)
		return PacketFunction(TRY(WirePackets::start(options, cgroup, gate, board, schedule_ns, work)), work);
	void* memory = ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return fail_errno(errno, ExitCode::failed, "cannot map memory for the packet function");
	auto* report = static_cast<Report*>(memory);
	Result<Worker> worker = Worker::start("the packet function", cgroup, options.cpus, [&, report] {
		return run(*report, options, gate, board, schedule_ns, work);
	});
	if (!worker) {
		::munmap(memory, sizeof(Report));
		return std::unexpected(std::move(worker).error());
	}
	return PacketFunction(std::move(*worker), report);
}

PacketFunction::PacketFunction(PacketFunction&& other) noexcept
    : worker_(std::move(other.worker_)),
      report_(std::exchange(other.report_, nullptr)),
      wire_(std::move(other.wire_)),
      wire_work_(other.wire_work_)
{}

PacketFunction::~PacketFunction()
{
	if (report_ != nullptr)
		::munmap(report_, sizeof(Report));
}

bool PacketFunction::is_ready() const
{
	return wire_ ? wire_->is_ready() : Board::is_raised(report_->ready);
}

Result<PacketFigures> PacketFunction::finish_wire()
{
	WireFigures wire = TRY(wire_->finish());
	PacketFigures figures;
	figures.offered = wire.offered;
	figures.dropped = wire.offered - wire.latency.count();
	figures.sleeps = wire.used.voluntary_switches;
	figures.work_ns = wire.latency.count() * wire_work_.measured_ns;
	figures.used = wire.used;
	figures.latency = std::move(wire.latency);
	figures.account = std::move(wire.account);
	return figures;
}

Result<PacketFigures> PacketFunction::finish()
{
	if (wire_)
		return finish_wire();
	const Status ended = worker_->finish();
	if (!ended && report_->error_number != 0)
		return fail_errno(report_->error_number, ExitCode::lacking,
				  "the packet function cannot lock its memory (run as root)");
	TRY(Status(ended));
	const std::span<const HistogramBucket> buckets(report_->buckets, report_->buckets_filled);
	PacketFigures figures{TRY(Histogram::from_buckets(buckets, report_->sum_ns)),
			      report_->offered,
			      report_->dropped,
			      report_->sleeps,
			      report_->popped * report_->probe_ns / kProbePackets,
			      counts_between(report_->counters),
			      report_->used,
			      std::nullopt};
	const uint64_t residue = figures.offered - figures.dropped - figures.latency.count();
	if (residue != 0 || report_->popped != figures.latency.count())
		return fail(ExitCode::invalid, "the packets do not add up: {} offered, {} dropped, {} served",
			    figures.offered, figures.dropped, figures.latency.count());
	return figures;
}

}  // namespace punctual
