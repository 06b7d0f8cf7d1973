// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packet_account.h"

#include <algorithm>

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
	return difference(account.scheduled, account.not_sent + account.sent) +
	       difference(account.sent, account.to_function.total() + account.received) +
	       difference(account.received, account.not_forwarded + account.forwarded) +
	       difference(account.forwarded, account.to_sink.total() + account.delivered + account.duplicates);
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
	const double achieved = achieved_ratio(account);
	if (achieved < kAchievedMin)
		return fail(ExitCode::invalid,
			    "generator-limited: it sent {:.1f} % of the rate (99.5 % are asked): lower --pps",
			    100 * achieved);
	const bool has_latency = latency_p99_ns != 0;
	if (has_latency && account.lateness_p99_ns * kLatenessPart >= latency_p99_ns)
		return fail(
		    ExitCode::invalid,
		    "generator-limited: its own lateness (p99 {}) is not below a tenth of the latency (p99 {}): "
		    "lower --pps, or give the generator a CPU of its own outside --cpus",
		    us(account.lateness_p99_ns), us(latency_p99_ns));
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
	return fmt::format(
	    "packets over {}, warm-up included: {} scheduled, {} not sent; lost to the packet function: {}; {} not "
	    "forwarded; lost to the sink: {}; {} delivered, {} twice, {} reordered; residue {}. Generator: {:.1f} % of "
	    "the rate, lateness p99 {}. Latency from sending p99 {}. Receive buffer {} bytes, {} packets",
	    account.plane, account.scheduled, account.not_sent, loss_text(account.to_function), account.not_forwarded,
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
	return members;
}

}  // namespace punctual
