// SPDX-License-Identifier: GPL-2.0-only
#include "sim/costs.h"

#include <algorithm>

#include "base/toml_document.h"

namespace punctual::sim {
namespace {

constexpr u64 kCostNsMax = kSecond;
constexpr u64 kTextMax = 1UL << 16;

struct Member {
	std::string_view key;
	u64 CostSpec::* value;
};
constexpr Member kMembers[] = {
    {"switch_ns", &CostSpec::switch_ns},
    {"remote_pull_ns", &CostSpec::remote_pull_ns},
    {"idle_entry_ns", &CostSpec::idle_entry_ns},
    {"ipi_ns", &CostSpec::ipi_ns},
    {"timer_late_ns", &CostSpec::timer_late_ns},
    {"wakeup_ns", &CostSpec::wakeup_ns},
    {"wakeup_exit_ns", &CostSpec::wakeup_exit_ns},
    {"tick_ns", &CostSpec::tick_ns},
    {"timer_ns", &CostSpec::timer_ns},
    {"sleep_ns", &CostSpec::sleep_ns},
    {"idle_exit_ns", &CostSpec::idle_exit_ns},
};
constexpr std::string_view kSmtKey = "smt_percent";

struct Policy {
	std::string_view name;
	CostSpec CostTable::* costs;
};
constexpr Policy kPolicies[] = {{"scx_latency", &CostTable::latency},
				{"eevdf", &CostTable::eevdf},
				{"fifo", &CostTable::realtime},
				{"queue", &CostTable::queue}};

std::unexpected<Error> wrong(std::string_view file, const toml::key& key, std::string_view what)
{
	return fail(ExitCode::usage, "{}:{}: {}: {}", file, key.source().begin.line, std::string(key.str()), what);
}

Status read_costs(CostSpec& costs, const toml::table& table, std::string_view file)
{
	for (const auto& [key, node] : table) {
		const auto* number = node.as_integer();
		const bool is_smt = key.str() == kSmtKey;
		const auto* member = std::ranges::find(kMembers, key.str(), &Member::key);
		if (member == std::end(kMembers) && !is_smt)
			return wrong(file, key, "unknown cost (`punctual sim calibrate` writes all that there are)");
		if (!number || number->get() < (is_smt ? 1 : 0) ||
		    static_cast<u64>(number->get()) > (is_smt ? 100 : kCostNsMax))
			return wrong(file, key,
				     is_smt ? "give a whole number from 1 to 100"
					    : "give whole nanoseconds, from 0 to 1000000000");
		if (is_smt)
			costs.smt_percent = static_cast<u32>(number->get());
		else
			costs.*member->value = static_cast<u64>(number->get());
	}
	return {};
}

// Of one lab run the sums of a cycle can be told, not all of its parts: wakeup_exit_ns, switch_ns, tick_ns and
// timer_late_ns were chosen so that p99, drops and the CPU's parts come out as in the lab, at 60,000 packets/s at
// constant gaps.
struct Parts {
	u64 wakeup_ns, wakeup_exit_ns, switch_ns, sleep_ns, tick_ns, timer_ns, timer_late_ns;
};

CostSpec spec_of(const Parts& parts)
{
	CostSpec costs;
	costs.wakeup_ns = parts.wakeup_ns;
	costs.wakeup_exit_ns = parts.wakeup_exit_ns;
	costs.switch_ns = parts.switch_ns;
	costs.sleep_ns = parts.sleep_ns;
	costs.tick_ns = parts.tick_ns;
	costs.timer_ns = parts.timer_ns;
	costs.timer_late_ns = parts.timer_late_ns;
	return costs;
}

bool is_ascii(char c)
{
	return static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

const CostSpec& CostTable::of(PolicyKind policy) const
{
	switch (policy) {
	case PolicyKind::latency:
		return latency;
	case PolicyKind::eevdf:
		return eevdf;
	case PolicyKind::realtime:
		return realtime;
	default:
		return queue;
	}
}

CostTable default_costs()
{
	return {.origin = "lab, kernel 6.18, one CPU in virtual time",
		.latency = spec_of({1400, 3561, 1300, 2684, 3000, 1869, 3000}),
		.eevdf = spec_of({1741, 2000, 2200, 1794, 3000, 0, 100}),
		.realtime = spec_of({1383, 1000, 2200, 1962, 2000, 0, 100}),
		.queue = spec_of({1400, 3561, 1300, 2684, 3000, 0, 100})};
}

Result<CostTable> parse_costs(std::string_view text, std::string_view file)
{
	if (text.size() > kTextMax)
		return fail(ExitCode::usage, "{}: more than {} bytes are no file of costs", file, kTextMax);
	const toml::table table = TRY(parse_toml(text, file));
	CostTable costs = default_costs();
	costs.origin = file;
	for (const auto& [key, node] : table) {
		const auto* policy = std::ranges::find(kPolicies, key.str(), &Policy::name);
		if (key.str() == "origin" && node.as_string() && std::ranges::all_of(node.as_string()->get(), is_ascii))
			costs.origin = node.as_string()->get();
		else if (policy == std::end(kPolicies) || !node.as_table())
			return wrong(file, key,
				     "known are origin = \"TEXT\", [scx_latency], [eevdf], [fifo] and [queue]");
		else
			TRY(read_costs(costs.*policy->costs, *node.as_table(), file));
	}
	return costs;
}

std::string costs_toml(const CostTable& costs)
{
	std::string origin;
	for (char letter : costs.origin)
		origin += letter == '"' || letter == '\\' || static_cast<unsigned char>(letter) < ' ' ? ' ' : letter;
	std::string text =
	    fmt::format("# Costs for `punctual sim --costs`, in nanoseconds.\norigin = \"{}\"\n", origin);
	for (const Policy& policy : kPolicies) {
		const CostSpec& spec = costs.*policy.costs;
		text += fmt::format("\n[{}]\n", policy.name);
		for (const Member& member : kMembers)
			text += fmt::format("{} = {}\n", member.key, spec.*member.value);
		text += fmt::format("{} = {}\n", kSmtKey, spec.smt_percent);
	}
	return text;
}

}  // namespace punctual::sim
