// SPDX-License-Identifier: GPL-2.0-only
// pages DIR: writes one page of each kind into DIR, with names that attackers would choose.
#include <cstdio>
#include <fstream>
#include <string>

#include "view/bench_page.h"
#include "view/profile_page.h"
#include "view/waits_page.h"

namespace punctual {
namespace {

// Runs as a script if any place forgets to escape; a browser test looks for what it would leave behind.
constexpr const char* kHostile =
    "</title></script><script>window.broken=1</script><img src=x onerror=window.broken=1>\"'";

BenchRow arm(std::string name, u64 base_ns, u64 dropped)
{
	BenchRow row;
	row.name = std::move(name);
	row.offered = 10'000;
	row.dropped = dropped;
	for (u64 packet = 0; packet < row.offered - dropped; packet++)
		row.latency.record(base_ns + packet * packet / 1000);
	row.window_ns = 1'000'000'000;
	row.background_work = 1000;
	row.budget_ns = 60'000;
	return row;
}

std::string bench_page()
{
	BenchReport report;
	report.rows = {arm("eevdf", 900'000, 700), arm(kHostile, 20'000, 0)};
	report.load = {{"arrivals", kHostile}};
	report.environment = {{"kernel", kHostile}};
	report.notes = {kHostile};
	report.command = kHostile;
	return bench_html(report);
}

WaitsPart recording(u64 base_ns)
{
	constexpr u64 kSecond = 1'000'000'000;
	WaitsPart part;
	part.name = kHostile;
	part.start_ns = kSecond;
	part.end_ns = 11 * kSecond;
	part.column_ns = kSecond / 10;
	part.columns.resize(100);
	CpuWaits cpu;
	for (u64 wait = 0; wait < 10'000; wait++) {
		const u64 wait_ns = base_ns + wait * wait / 100;
		cpu.kinds[wait % kWaitKinds].record(wait_ns);
		part.columns[wait / 100].record(wait_ns);
	}
	part.total.at_ns = part.end_ns;
	part.total.cpus = {cpu};
	CgroupWaits hostile, removed;
	hostile.id = 1;
	hostile.path = std::string("/") + kHostile;
	hostile.waits = cpu.all();
	removed.id = 2;
	removed.path = "/telemetry.slice";
	removed.removed = true;
	removed.waits = cpu.kinds[0];
	part.total.cgroups = {hostile, removed};
	part.total.culprits = {{1, 2, kSecond}, {1, kUnknownCulprit, kSecond / 10}};
	WaitOutlier outlier;
	outlier.end_ns = 2 * kSecond;
	outlier.wait_ns = 900'000;
	outlier.comm = kHostile;
	outlier.cgroup_id = 1;
	outlier.runners = {{8, kHostile, 2, 800'000}};
	part.outliers = {outlier};
	part.nr_outliers = 1;
	part.marks = {{part.start_ns, "EEVDF"}, {6 * kSecond, kHostile}};
	part.environment = {{"kernel", kHostile}};
	part.warning = kHostile;
	return part;
}

std::string profile_page()
{
	Profile profile;
	profile.scheduler = profile.kernel = kHostile;
	profile.elapsed_ns = 1'000'000'000;
	profile.nr_cpus = 2;
	profile.callbacks = {{14, kHostile, "enqueue", 1000, 500'000, 97}, {15, "cheap", kHostile, 1000, 100'000, 97}};
	const std::string_view in_scheduler[] = {"do_syscall_64", "__schedule", "enqueue_task_scx", kHostile};
	const std::string_view elsewhere[] = {"do_syscall_64", kHostile, "copy_from_user"};
	add_kernel_sample(&profile, in_scheduler, {kHostile}, false, 400'000'000);
	add_kernel_sample(&profile, elsewhere, {}, false, 100'000'000);
	profile.weights.user = 500'000'000;
	return profile_html(profile);
}

bool write(const std::string& path, const std::string& text)
{
	std::ofstream file(path);
	file << text;
	file.close();
	return static_cast<bool>(file);
}

}  // namespace
}  // namespace punctual

int main(int argc, char** argv)
{
	if (argc != 2) {
		std::fputs("usage: pages DIR\n", stderr);
		return 2;
	}
	const std::string folder = argv[1];
	const bool written =
	    punctual::write(folder + "/bench.html", punctual::bench_page()) &&
	    punctual::write(folder + "/profile.html", punctual::profile_page()) &&
	    punctual::write(folder + "/waits.html", punctual::waits_html({punctual::recording(1'000)})) &&
	    punctual::write(folder + "/waits-compared.html",
			    punctual::waits_html({punctual::recording(1'000), punctual::recording(90'000)}));
	return written ? 0 : 1;
}
