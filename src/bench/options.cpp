// SPDX-License-Identifier: GPL-2.0-only
#include "bench/options.h"

namespace punctual {
namespace {

constexpr uint64_t kRingMax = 1 << 20;
constexpr uint64_t kRxUsecsMax = 1'000'000;
constexpr uint64_t kReceiveBufferMax = 1 << 16;  // packets; 54 MB
constexpr uint64_t kProcessesMax = 256;
constexpr Nanoseconds kWorkMax = std::chrono::milliseconds(100);
constexpr Nanoseconds kDurationMin = std::chrono::milliseconds(10);
constexpr Nanoseconds kDurationMax = std::chrono::hours(24);

Status refuse_duration(std::string_view option, Nanoseconds value, Nanoseconds low, Nanoseconds high)
{
	if (value < low || value > high)
		return fail(ExitCode::usage, "{} {} is out of range ({} to {})", option, format_duration(value),
			    format_duration(low), format_duration(high));
	return {};
}

Status refuse_count(std::string_view option, uint64_t value, uint64_t high)
{
	if (value < 1 || value > high)
		return fail(ExitCode::usage, "{} {} is out of range (1 to {})", option, value, high);
	return {};
}

}  // namespace

Result<BackgroundKind> parse_background(std::string_view text)
{
	if (text == "python")
		return BackgroundKind::python;
	if (text == "spin")
		return BackgroundKind::spin;
	return fail(ExitCode::usage, "unknown background '{}' (python or spin)", text);
}

std::string_view background_name(BackgroundKind kind)
{
	return kind == BackgroundKind::python ? "python" : "spin";
}

Result<BenchOptions> complete(BenchOptions options)
{
	TRY(refuse_duration("--duration", options.duration, kDurationMin, kDurationMax));
	TRY(refuse_duration("--warmup", options.warmup, Nanoseconds(0), kDurationMax));
	TRY(refuse_duration("--settle", options.settle, Nanoseconds(0), kDurationMax));
	TRY(refuse_duration("--work", options.work, Nanoseconds(0), kWorkMax));
	const bool is_emulated = options.plane == PacketPlane::ring;
	TRY(refuse_count("--ring", options.ring_packets, is_emulated ? kRingMax : kReceiveBufferMax));
	if (options.rx_usecs > kRxUsecsMax)
		return fail(ExitCode::usage, "--rx-usecs {} is out of range (0 to {})", options.rx_usecs, kRxUsecsMax);
	if (!is_emulated && (options.rx_usecs != 0 || options.counters))
		return fail(ExitCode::usage, "{} is for the emulated card: without --packets {}",
			    options.counters ? "--counters" : "--rx-usecs", plane_name(options.plane));
	// The last CPU is the one that interrupts and boot-time work visit least.
	if (options.cpus.empty())
		options.cpus.add(TRY(CpuList::online()).cpus().back());
	if (options.background_processes == 0)
		options.background_processes = 2 * options.cpus.size();
	TRY(refuse_count("--background-processes", options.background_processes, kProcessesMax));
	return options;
}

}  // namespace punctual
