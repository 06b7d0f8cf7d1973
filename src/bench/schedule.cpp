// SPDX-License-Identifier: GPL-2.0-only
#include "bench/schedule.h"

#include <charconv>
#include <cmath>

namespace punctual {
namespace {

constexpr uint64_t kPacketsMax = 1ULL << 26;
constexpr uint64_t kBurstPacketsMax = 1 << 20;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

// SplitMix64. The standard library's distributions differ between implementations; this does not.
class Random {
 public:
	explicit Random(uint64_t seed) : state_(seed) {}

	double next_unit()  // in [0, 1), in steps of 2^-53
	{
		state_ += 0x9e3779b97f4a7c15ULL;
		uint64_t mixed = state_;
		mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
		mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
		mixed ^= mixed >> 31;
		return static_cast<double>(mixed >> 11) * 0x1p-53;
	}

 private:
	uint64_t state_;
};

std::vector<uint64_t> constant(const ScheduleOptions& options, uint64_t length_ns)
{
	const uint64_t burst = options.arrivals.burst_packets;
	const double gap_ns =
	    static_cast<double>(burst) * static_cast<double>(kNsPerSecond) / static_cast<double>(options.rate_per_s);
	const auto phase_ns = static_cast<uint64_t>(Random(options.seed).next_unit() * gap_ns);
	std::vector<uint64_t> arrivals_ns;
	for (uint64_t k = 0;; k++) {
		// Each from its number, not from the one before: rounding must not add up to another rate.
		const uint64_t first = k - k % burst;  // of its burst
		const auto at_ns =
		    static_cast<uint64_t>(static_cast<unsigned __int128>(first) * kNsPerSecond / options.rate_per_s);
		if (phase_ns + at_ns >= length_ns)
			return arrivals_ns;
		arrivals_ns.push_back(phase_ns + at_ns);
	}
}

std::vector<uint64_t> poisson(const ScheduleOptions& options, uint64_t length_ns)
{
	const double mean_gap_ns = static_cast<double>(kNsPerSecond) / static_cast<double>(options.rate_per_s);
	Random random(options.seed);
	std::vector<uint64_t> arrivals_ns;
	for (double at_ns = 0;;) {
		at_ns -= std::log1p(-random.next_unit()) * mean_gap_ns;  // 1 - unit is never 0
		if (at_ns >= static_cast<double>(length_ns) || arrivals_ns.size() > 2 * kPacketsMax)
			return arrivals_ns;
		arrivals_ns.push_back(static_cast<uint64_t>(at_ns));
	}
}

Result<Arrivals> parse_bursts(std::string_view number)
{
	Arrivals arrivals;
	const char* end = number.data() + number.size();
	const auto [rest, error] = std::from_chars(number.data(), end, arrivals.burst_packets);
	if (error != std::errc() || rest != end || arrivals.burst_packets < 2 ||
	    arrivals.burst_packets > kBurstPacketsMax)
		return fail(ExitCode::usage,
			    "bursts of '{}' packets: give a number from 2 to {}, for example bursts:{}", number,
			    kBurstPacketsMax, kBurstPackets);
	return arrivals;
}

}  // namespace

Result<Arrivals> parse_arrivals(std::string_view text)
{
	constexpr std::string_view kNumbered = "bursts:";
	if (text == "constant")
		return Arrivals{};
	if (text == "poisson")
		return Arrivals{Gaps::poisson};
	if (text == "bursts")
		return Arrivals{Gaps::constant, kBurstPackets};
	if (text.starts_with(kNumbered))
		return parse_bursts(text.substr(kNumbered.size()));
	return fail(ExitCode::usage, "unknown arrivals '{}' (constant, poisson, bursts or bursts:PACKETS)", text);
}

std::string arrivals_text(Arrivals arrivals)
{
	if (arrivals.burst_packets > 1)
		return fmt::format("bursts:{}", arrivals.burst_packets);
	return arrivals.gaps == Gaps::constant ? "constant" : "poisson";
}

Result<std::vector<uint64_t>> make_schedule(const ScheduleOptions& options)
{
	const auto length_ns = static_cast<uint64_t>(options.length.count());
	const auto packets = static_cast<unsigned __int128>(length_ns) * options.rate_per_s / kNsPerSecond;
	if (packets > kPacketsMax)
		return fail(ExitCode::usage,
			    "{} packets/s for {} are more than {} packets: shorten the run or lower the rate",
			    options.rate_per_s, format_duration(options.length), kPacketsMax);
	return options.arrivals.gaps == Gaps::constant ? constant(options, length_ns) : poisson(options, length_ns);
}

}  // namespace punctual
