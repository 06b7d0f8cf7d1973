// SPDX-License-Identifier: GPL-2.0-only
#include "bench/wire_packets.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "bench/wire_processes.h"

namespace punctual {
namespace {

struct Places {
	CpuList generator;
	CpuList sink;
	bool generator_has_cpu = false;
};

// CPUs that the trial does not measure: the last one sends, as interrupts come to the first ones; the sink, which has
// time, takes the others. With no such CPU all share.
Result<Places> places_beside(const CpuList& cpus)
{
	const CpuList online = TRY(CpuList::online());
	Places places;
	for (auto cpu = online.cpus().rbegin(); cpu != online.cpus().rend(); ++cpu) {
		if (cpus.contains(*cpu))
			continue;
		(places.generator_has_cpu ? places.sink : places.generator).add(*cpu);
		places.generator_has_cpu = true;
	}
	if (places.generator.empty())
		places.generator = cpus;
	if (places.sink.empty())
		places.sink = places.generator;
	return places;
}

Status explain(Status ended, uint64_t error_number, const char* what)
{
	if (!ended && error_number != 0)
		return fail_errno(static_cast<int>(error_number), ExitCode::lacking, what);
	return ended;
}

}  // namespace

WirePackets::WirePackets(PacketNetwork network, Shared<WireBoard> wire, Worker function, Worker sink, Worker generator)
    : network_(std::move(network)),
      wire_(std::move(wire)),
      function_(std::move(function)),
      sink_(std::move(sink)),
      generator_(std::move(generator))
{}

Result<WirePackets> WirePackets::start(const BenchOptions& options, const ScopedCgroup& cgroup, const Gate& gate,
				       const Board& board, std::span<const uint64_t> schedule_ns, WorkLength work)
{
	const Places places = TRY(places_beside(options.cpus));
	PacketNetwork network = TRY(PacketNetwork::create(options.plane, options.ring_packets));
	Shared<WireBoard> wire = TRY(Shared<WireBoard>::create());
	wire->run_id = monotonic_ns();
	const auto warmup_ns = static_cast<uint64_t>(options.warmup.count());
	const auto length_ns = warmup_ns + static_cast<uint64_t>(options.duration.count());

	Worker sink = TRY(Worker::start("the sink", places.sink,
					[&] { return run_sink(*wire, board, network.sink_fd(), schedule_ns.size()); }));
	Worker function = TRY(Worker::start("the packet function", cgroup, options.cpus, [&] {
		return run_wire_function(
		    *wire, board, {options.plane, network.receive_fd(), network.forward_fd(), network.ring(), work});
	}));
	Worker generator = TRY(Worker::start("the packet generator", places.generator, [&] {
		return run_generator(
		    *wire, board, gate,
		    {network.generator_fd(), schedule_ns, warmup_ns, length_ns, places.generator_has_cpu});
	}));
	WirePackets packets(std::move(network), std::move(wire), std::move(function), std::move(sink),
			    std::move(generator));
	packets.planned_.plane = plane_name(options.plane);
	packets.planned_.scheduled = schedule_ns.size();
	packets.planned_.schedule_ns = schedule_ns.empty() ? 0 : schedule_ns.back() - schedule_ns.front();
	packets.planned_.generator_has_cpu = places.generator_has_cpu;
	packets.offered_ = static_cast<uint64_t>(schedule_ns.end() - std::ranges::lower_bound(schedule_ns, warmup_ns));
	return packets;
}

bool WirePackets::is_ready() const
{
	return Board::is_raised(wire_->function.ready) && Board::is_raised(wire_->sink.ready) &&
	       Board::is_raised(wire_->generator.ready);
}

Status WirePackets::still_runs()
{
	TRY(explain(generator_.still_runs(), wire_->generator.error_number,
		    "the packet generator cannot lock its memory or become real-time (run as root)"));
	TRY(explain(function_.still_runs(), wire_->function.error_number,
		    "the packet function cannot lock its memory or receive packets (run as root)"));
	return sink_.still_runs();
}

Result<PacketAccount> WirePackets::account()
{
	const PacketNetwork::Losses losses = TRY(network_.losses());
	PacketAccount account = planned_;
	account.not_sent = wire_->generator.not_sent;
	account.sent = wire_->generator.sent;
	account.to_function = losses.to_function;
	account.received = wire_->function.received;
	account.not_forwarded = wire_->function.not_forwarded;
	account.forwarded = wire_->function.forwarded;
	account.to_sink = losses.to_sink;
	account.delivered = wire_->sink.delivered;
	account.duplicates = wire_->sink.duplicates;
	account.reordered = wire_->sink.reordered;
	account.foreign = wire_->function.foreign + wire_->sink.foreign;
	account.window = {offered_,
			  wire_->generator.window_not_sent,
			  wire_->generator.window_sent,
			  wire_->function.window_received,
			  wire_->function.window_not_forwarded,
			  wire_->function.window_forwarded,
			  TRY(wire_->sink.latency.load()).count()};
	account.sending_ns = wire_->generator.sending_ns;
	const Histogram lateness = TRY(wire_->generator.lateness.load());
	account.lateness_p99_ns = lateness.quantile_ns(0.99);
	account.lateness_max_ns = lateness.max_ns();
	account.from_send_p99_ns = TRY(wire_->sink.from_send.load()).quantile_ns(0.99);
	account.rcvbuf_bytes = network_.rcvbuf_bytes();
	account.rcvbuf_packets = network_.rcvbuf_packets();
	return account;
}

Result<WireFigures> WirePackets::finish()
{
	TRY(explain(generator_.finish(), wire_->generator.error_number,
		    "the packet generator cannot lock its memory, become real-time or send (run as root)"));
	TRY(explain(function_.finish(), wire_->function.error_number,
		    "the packet function cannot lock its memory or receive packets (run as root)"));
	TRY(explain(sink_.finish(), wire_->sink.error_number, "the sink cannot receive packets"));
	WireFigures figures{TRY(wire_->sink.latency.load()), offered_, wire_->function.used, TRY(account())};
	TRY(judge_account(figures.account, figures.latency.quantile_ns(0.99)));
	return figures;
}

}  // namespace punctual
