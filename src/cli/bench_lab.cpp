// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_lab.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "bench/alike.h"
#include "bench/result_json.h"
#include "lab/lab.h"

namespace punctual {
namespace {

// A guest takes a host CPU, however many CPUs it has itself, and up to its memory; more than two at a time is not worth
// the risk.
constexpr unsigned kGuestsMax = 2;
constexpr size_t kBootsMax = 4;  // of an arm, until two agree
// Virtual time runs some forty times slower than the host's under load, for each CPU, and more on a busy host.
constexpr int kSlownessMax = 200;

// What is running and what is done, for a person: one line that changes on a terminal, else one line an arm.
class Progress {
 public:
	explicit Progress(size_t arms) : arms_(arms) {}

	void begin(const std::string& arm)
	{
		const std::lock_guard lock(mutex_);
		running_.push_back(arm);
		show();
	}

	void end(const std::string& arm, bool well)
	{
		const std::lock_guard lock(mutex_);
		running_.erase(std::ranges::find(running_, arm));
		done_++;
		if (is_terminal_)
			show();
		else if (well)
			fmt::print(stderr, "bench: {} done ({} of {})\n", arm, done_, arms_);
	}

	void note(std::string_view line)
	{
		const std::lock_guard lock(mutex_);
		if (!notes_.emplace(line).second)  // every boot says the same
			return;
		clear();
		fmt::print(stderr, "punctual: {}\n", line);
	}

	void fetching(std::string_view what, double fraction)
	{
		const std::lock_guard lock(mutex_);
		if (is_terminal_)
			fmt::print(stderr, "\r\033[Kbench: fetching {}: {:.0f} %", what, 100 * fraction);
		else if (what != fetched_)
			fmt::print(stderr, "bench: fetching {}\n", what);
		fetched_ = what;
	}

	void clear() const
	{
		if (is_terminal_)
			fmt::print(stderr, "\r\033[K");
	}

 private:
	void show()
	{
		if (!is_terminal_)
			return;
		std::string names;
		for (const std::string& arm : running_)
			names += (names.empty() ? "" : ", ") + arm;
		fmt::print(stderr, "\r\033[Kbench: {} of {} runs done, running: {}", done_, arms_, names);
	}

	const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
	const size_t arms_;
	std::mutex mutex_;
	std::vector<std::string> running_;
	std::set<std::string, std::less<>> notes_;
	std::string fetched_;
	size_t done_ = 0;
};

// The message of a punctual that ended inside, without its name in front.
std::string last_message(std::string_view err)
{
	while (err.ends_with('\n'))
		err.remove_suffix(1);
	const size_t line = err.rfind('\n');
	if (line != err.npos)
		err.remove_prefix(line + 1);
	constexpr std::string_view kPrefix = "punctual: ";
	return std::string(err.starts_with(kPrefix) ? err.substr(kPrefix.size()) : err);
}

LabOptions lab_options(const Arm& arm, const LabBench& bench, int stop_fd)
{
	LabOptions options;
	options.kernel = bench.kernel;
	options.cpus = bench.cpus;
	options.time = bench.time;
	options.modules = bench.modules;
	options.timeout += kSlownessMax * bench.cpus * bench.load_length;
	options.stop_fd = stop_fd;
	if (arm.is_object_file())
		options.include.push_back(std::filesystem::absolute(arm.scheduler).lexically_normal());
	return options;
}

// What the guest runs depends on the arm alone, not on its place in the run: an arm named twice is twice
// the same boot.
std::vector<std::string> command(const Arm& arm, const LabBench& bench)
{
	std::string inside = arm.name;
	if (arm.is_object_file())
		inside = std::filesystem::absolute(arm.scheduler).lexically_normal();
	std::vector<std::string> argv = {"punctual", "bench", "--json", "--arms", inside};
	argv.insert(argv.end(), bench.load_options.begin(), bench.load_options.end());
	return argv;
}

// What the bench inside printed.
Result<std::string> boot(const Arm& arm, const LabBench& bench, int stop_fd, Progress& progress)
{
	LabListener listener;
	listener.store.note = [&](std::string_view line) { progress.note(line); };
	listener.store.progress = [&](std::string_view what, double fraction) { progress.fetching(what, fraction); };
	LabResult guest = TRY(run_in_lab(lab_options(arm, bench, stop_fd), command(arm, bench), listener));
	if (guest.status != 0)
		return fail(static_cast<ExitCode>(guest.status), "in the lab: {}", last_message(guest.err));
	return std::move(guest.out);
}

// One CPU repeats to the digit, and in wall time nothing does. With several in virtual time, threads of QEMU were seen
// to make a difference now and then: there two boots must agree.
Result<std::string> boot_until_agreed(const Arm& arm, const LabBench& bench, int stop_fd, Progress& progress)
{
	std::vector<std::string> seen;
	seen.reserve(kBootsMax);
	while (seen.size() < kBootsMax) {
		std::string out = TRY(boot(arm, bench, stop_fd, progress));
		if (bench.time == LabTime::wall || bench.cpus == 1 || std::ranges::find(seen, out) != seen.end())
			return out;
		if (!seen.empty())
			progress.note(fmt::format("boots of '{}' differ, one more is asked", arm.name));
		seen.push_back(std::move(out));
	}
	return fail(ExitCode::invalid, "of {} boots of '{}' no two agree: this QEMU does not repeat itself", kBootsMax,
		    arm.name);
}

Result<BenchResult> run_guest_arm(const Arm& arm, const LabBench& bench, int stop_fd, Progress& progress)
{
	BenchResult result = TRY(bench_from_json(TRY(boot_until_agreed(arm, bench, stop_fd, progress))));
	if (result.arms.size() != 1)
		return fail(ExitCode::failed, "arm '{}' gave {} results in the lab", arm.name, result.arms.size());
	result.arms[0].name = arm.name;
	return result;
}

using GuestResult = std::optional<Result<BenchResult>>;  // none: not begun, because another one failed

// All boots, as many at a time as the host has room for.
std::vector<GuestResult> run_guests(const std::vector<Arm>& arms, std::span<const LabBench> starts, StopSignal& stop)
{
	std::vector<GuestResult> results(arms.size() * starts.size());
	Progress progress(results.size());
	std::atomic<size_t> next = 0;
	std::atomic<bool> failed = false;
	const auto work = [&] {
		for (size_t i = next++; i < results.size() && !failed; i = next++) {
			const Arm& arm = arms[i % arms.size()];
			progress.begin(arm.name);
			results[i] = run_guest_arm(arm, starts[i / arms.size()], stop.fd(), progress);
			failed = failed || !*results[i];
			progress.end(arm.name, results[i]->has_value());
		}
	};
	{
		// Against the host's clock a guest takes a host CPU for each of its own, and must not be disturbed.
		const bool alone = starts[0].time == LabTime::wall;
		const unsigned guests = alone ? 1 : std::clamp(std::thread::hardware_concurrency(), 1U, kGuestsMax);
		std::vector<std::jthread> threads;
		threads.reserve(guests);
		for (unsigned i = 0; i < guests; i++)
			threads.emplace_back(work);
	}
	progress.clear();
	return results;
}

// The arms of one start, put together.
Result<BenchResult> one_start(std::span<GuestResult> results, LabTime time)
{
	BenchResult all;
	for (GuestResult& result : results) {
		if (!result)
			continue;
		BenchResult one = TRY(std::move(*result));
		if (all.arms.empty())
			all.environment = one.environment;
		if (time == LabTime::virtual_time)
			TRY(refuse_unlike({{all.arms.empty() ? one.arms[0] : all.arms[0]}, all.environment}, one));
		all.arms.push_back(std::move(one.arms[0]));
	}
	return all;
}

}  // namespace

Result<std::vector<BenchResult>> bench_in_lab(const std::vector<Arm>& arms, std::span<const LabBench> starts,
					      StopSignal& stop)
{
	std::vector<GuestResult> results = run_guests(arms, starts, stop);
	if (stop.raised())
		return fail(ExitCode::interrupted, "interrupted");
	std::vector<BenchResult> all;
	all.reserve(starts.size());
	for (size_t start = 0; start < starts.size(); start++)
		all.push_back(
		    TRY(one_start(std::span(results).subspan(start * arms.size(), arms.size()), starts[start].time)));
	return all;
}

}  // namespace punctual
