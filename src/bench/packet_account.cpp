// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packet_account.h"

#include <algorithm>
#include <array>

namespace punctual {
namespace {

constexpr double kAchievedMin = 0.995;
constexpr uint64_t kLatenessPart = 10;

uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

std::string us(uint64_t time_ns)
{
	return fmt::format("{:.1f} us", static_cast<double>(time_ns) / 1000);
}

std::string loss_text(const LinkLoss& loss)
{
	return fmt::format("{} qdisc, {} veth, {} backlog, {} socket, {} ring", loss.qdisc, loss.veth, loss.backlog,
			   loss.socket, loss.ring);
}

std::string window_loss_text(const LinkLoss& run, uint64_t lost)
{
	if (lost == 0)
		return "0";
	const std::optional<LinkLoss> stages = window_loss(run, lost);
	return fmt::format("{} ({})", lost,
			   stages ? loss_text(*stages) : "in stages that warm-up had losses in as well");
}

uint64_t excess(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

// Nothing is received that was not sent, and the window did not lose more on a link than the run.
uint64_t window_residue(const PacketAccount& account)
{
	const WindowAccount& window = account.window;
	return difference(window.scheduled, window.not_sent + window.sent) +
	       difference(window.received, window.not_forwarded + window.forwarded) +
	       excess(window.received, window.sent) +
	       excess(window.sent, window.received + account.to_function.total()) +
	       excess(window.delivered, window.forwarded) +
	       excess(window.forwarded, window.delivered + account.to_sink.total() + account.duplicates);
}

std::array<uint64_t LinkLoss::*, 5> stages_of_link()
{
	return {&LinkLoss::qdisc, &LinkLoss::veth, &LinkLoss::backlog, &LinkLoss::socket, &LinkLoss::ring};
}

void add_link(std::vector<std::pair<std::string, uint64_t*>>& members, const std::string& prefix, LinkLoss& loss)
{
	members.insert(members.end(), {{prefix + "qdisc", &loss.qdisc},
				       {prefix + "veth", &loss.veth},
				       {prefix + "backlog", &loss.backlog},
				       {prefix + "socket", &loss.socket},
				       {prefix + "ring", &loss.ring}});
}

}  // namespace

uint64_t residue(const PacketAccount& account)
{
	const uint64_t of_run =
	    difference(account.scheduled, account.not_sent + account.sent) +
	    difference(account.sent, account.to_function.total() + account.received) +
	    difference(account.received, account.not_forwarded + account.forwarded) +
	    difference(account.forwarded, account.to_sink.total() + account.delivered + account.duplicates);
	return std::max(of_run, window_residue(account));  // a packet that is missing in both is one
}

std::optional<LinkLoss> window_loss(const LinkLoss& run, uint64_t lost)
{
	if (lost == run.total())  // none of them in warm-up
		return run;
	for (uint64_t LinkLoss::* stage : stages_of_link())
		if (run.*stage == run.total()) {  // all in one stage
			LinkLoss loss;
			loss.*stage = lost;
			return loss;
		}
	return std::nullopt;
}

double achieved_ratio(const PacketAccount& account)
{
	if (account.scheduled == 0)
		return 0;
	const double sent = static_cast<double>(account.sent) / static_cast<double>(account.scheduled);
	if (account.sending_ns <= account.schedule_ns)
		return sent;
	return sent * static_cast<double>(account.schedule_ns) / static_cast<double>(account.sending_ns);
}

Status judge_account(const PacketAccount& account, uint64_t latency_p99_ns)
{
	if (residue(account) != 0)
		return fail(ExitCode::invalid, "{} packets are not accounted for: {}", residue(account),
			    account_text(account));
	// Where they went is known all the same, and may tell why.
	const double achieved = achieved_ratio(account);
	if (achieved < kAchievedMin)
		return fail(ExitCode::invalid,
			    "generator-limited: it sent {:.1f} % of the rate (99.5 % are asked): lower --pps ({})",
			    100 * achieved, account_text(account));
	const bool has_latency = latency_p99_ns != 0;
	if (has_latency && account.lateness_p99_ns * kLatenessPart >= latency_p99_ns)
		return fail(
		    ExitCode::invalid,
		    "generator-limited: its own lateness (p99 {}) is not below a tenth of the latency (p99 {}): "
		    "lower --pps, or give the generator a CPU of its own outside --cpus ({})",
		    us(account.lateness_p99_ns), us(latency_p99_ns), account_text(account));
	return {};
}

void add_account(PacketAccount& total, const PacketAccount& run)
{
	PacketAccount add = run;
	const auto to = account_members(total);
	const auto from = account_members(add);
	for (size_t i = 0; i < to.size(); i++) {
		const std::string& name = to[i].first;
		const bool is_extreme = name.starts_with("lateness") || name.starts_with("from_send");
		const bool is_constant = name.starts_with("rcvbuf") || name == "generator_has_cpu";
		if (is_extreme)
			*to[i].second = std::max(*to[i].second, *from[i].second);
		else if (is_constant)
			*to[i].second =
			    total.plane.empty() ? *from[i].second : std::min(*to[i].second, *from[i].second);
		else
			*to[i].second += *from[i].second;
	}
	total.plane = run.plane;
}

std::string account_text(const PacketAccount& account)
{
	const WindowAccount& window = account.window;
	const std::string in_window = fmt::format(
	    "packets over {}: {} scheduled in the window, {} not sent, lost to the packet function {}, {} not "
	    "forwarded, lost "
	    "to the sink {}, {} delivered",
	    account.plane, window.scheduled, window.not_sent,
	    window_loss_text(account.to_function, window.lost_to_function()), window.not_forwarded,
	    window_loss_text(account.to_sink, window.lost_to_sink()), window.delivered);
	return fmt::format(
	    "{}. By the kernel's counters, with warm-up: {} scheduled, {} not sent; lost to the packet function: {}; "
	    "{} not "
	    "forwarded; lost to the sink: {}; {} delivered, {} twice, {} reordered; residue {}. Generator: {:.1f} % of "
	    "the rate, lateness p99 {}. Latency from sending p99 {}. Receive buffer {} bytes, {} packets",
	    in_window, account.scheduled, account.not_sent, loss_text(account.to_function), account.not_forwarded,
	    loss_text(account.to_sink), account.delivered, account.duplicates, account.reordered, residue(account),
	    100 * achieved_ratio(account), us(account.lateness_p99_ns), us(account.from_send_p99_ns),
	    account.rcvbuf_bytes, account.rcvbuf_packets);
}

std::vector<std::pair<std::string, uint64_t*>> account_members(PacketAccount& account)
{
	std::vector<std::pair<std::string, uint64_t*>> members = {
	    {"scheduled", &account.scheduled}, {"not_sent", &account.not_sent}, {"sent", &account.sent}};
	add_link(members, "to_function_", account.to_function);
	members.insert(members.end(), {{"received", &account.received},
				       {"not_forwarded", &account.not_forwarded},
				       {"forwarded", &account.forwarded}});
	add_link(members, "to_sink_", account.to_sink);
	members.insert(members.end(), {{"delivered", &account.delivered},
				       {"duplicates", &account.duplicates},
				       {"reordered", &account.reordered},
				       {"foreign", &account.foreign},
				       {"schedule_ns", &account.schedule_ns},
				       {"sending_ns", &account.sending_ns},
				       {"lateness_p99_ns", &account.lateness_p99_ns},
				       {"lateness_max_ns", &account.lateness_max_ns},
				       {"from_send_p99_ns", &account.from_send_p99_ns},
				       {"rcvbuf_bytes", &account.rcvbuf_bytes},
				       {"rcvbuf_packets", &account.rcvbuf_packets},
				       {"generator_has_cpu", &account.generator_has_cpu}});
	WindowAccount& window = account.window;
	members.insert(members.end(), {{"window_scheduled", &window.scheduled},
				       {"window_not_sent", &window.not_sent},
				       {"window_sent", &window.sent},
				       {"window_received", &window.received},
				       {"window_not_forwarded", &window.not_forwarded},
				       {"window_forwarded", &window.forwarded},
				       {"window_delivered", &window.delivered}});
	return members;
}

}  // namespace punctual
