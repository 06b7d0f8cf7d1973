// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "bench/options.h"
#include "bench/telemetry_script.h"

namespace punctual {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

BenchOptions on_two_cpus()
{
	BenchOptions options;
	options.cpus = CpuList::parse("0-1").value();
	return options;
}

TEST(BenchOptions, TwoBackgroundProcessesRunForEachCpu)
{
	EXPECT_EQ(complete(on_two_cpus())->background_processes, 4u);
	BenchOptions options = on_two_cpus();
	options.background_processes = 3;
	EXPECT_EQ(complete(options)->background_processes, 3u);
}

TEST(BenchOptions, WithoutCpusBothSidesShareASingleOne)
{
	EXPECT_EQ(complete({})->cpus.size(), 1u);
}

TEST(BenchOptions, WhatCannotBeMeasuredIsRefused)
{
	const auto refused = [](auto change) {
		BenchOptions options = on_two_cpus();
		change(options);
		const Result<BenchOptions> result = complete(options);
		return !result && result.error().code == ExitCode::usage;
	};
	EXPECT_TRUE(refused([](BenchOptions& options) { options.duration = milliseconds(1); }));
	EXPECT_TRUE(refused([](BenchOptions& options) { options.duration = hours(25); }));
	EXPECT_TRUE(refused([](BenchOptions& options) { options.ring_packets = 0; }));
	EXPECT_TRUE(refused([](BenchOptions& options) { options.ring_packets = 1 << 24; }));
	EXPECT_TRUE(refused([](BenchOptions& options) { options.rx_usecs = 2'000'000; }));
	EXPECT_TRUE(refused([](BenchOptions& options) { options.work = hours(1); }));
	EXPECT_TRUE(refused([](BenchOptions& options) { options.background_processes = 100'000; }));
	EXPECT_FALSE(refused([](BenchOptions& options) { options.warmup = Nanoseconds(0); }));
}

TEST(BenchOptions, BackgroundsAreReadByName)
{
	EXPECT_EQ(parse_background("spin").value(), BackgroundKind::spin);
	EXPECT_EQ(parse_background(background_name(BackgroundKind::python)).value(), BackgroundKind::python);
	EXPECT_EQ(parse_background("java").error().code, ExitCode::usage);
}

TEST(BenchOptions, TheTelemetryScriptIsInTheBinaryAsAWhole)
{
	const std::string_view script = telemetry_script();
	EXPECT_TRUE(script.starts_with("#!/usr/bin/python3\n"));
	EXPECT_TRUE(script.ends_with("main(sys.argv[1:])\n"));
}

}  // namespace
}  // namespace punctual
