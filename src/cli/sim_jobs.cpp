// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sim_jobs.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "cli/sim_result.h"
#include "sim/simulation.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr u32 kThreadsMax = 256;
constexpr int kBarWidth = 30;

struct Job {
	size_t point = 0;
	size_t policy = 0;
	u64 start = 0;
	std::atomic<u64> done_ns = 0;
	u64 length_ns = 0;
	std::optional<ArmResult> arm;  // none: it did not come to what is counted
	u64 nr_events = 0;
	bool is_whole = false;
};

// One line that changes, on a terminal only.
class Bar {
 public:
	void show(double part)
	{
		const double elapsed_s = std::chrono::duration<double>(Clock::now() - began_).count();
		if (!is_terminal_ || elapsed_s < 0.5 || part <= 0)
			return;
		const int filled = static_cast<int>(part * kBarWidth);
		fmt::print(stderr, "\r\033[Ksim: [{:<{}}] {:.0f} %, {:.0f} s left", std::string(filled, '#'), kBarWidth,
			   100 * part, elapsed_s * (1 - part) / part);
		std::fflush(stderr);
		is_shown_ = true;
	}
	void clear() const
	{
		if (is_shown_)
			fmt::print(stderr, "\r\033[K");
	}

 private:
	const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
	bool is_shown_ = false;
	const Clock::time_point began_ = Clock::now();
};

void run_job(const SimStudy& study, Job& job, const std::atomic<bool>& stopped)
{
	const sim::SimLoad& load = study.points[job.point];
	const sim::PolicyChoice& policy = study.policies[job.policy];
	const sim::Scenario scenario = sim::scenario_of(load, policy, study.costs, study.seed, job.start);

	const sim::Outcome outcome = sim::simulate(scenario, [&](u64 now_ns) {
		job.done_ns.store(now_ns, std::memory_order_relaxed);
		return !stopped.load(std::memory_order_relaxed);
	});
	job.nr_events = outcome.nr_events;
	job.is_whole = outcome.stopped_ns == 0;
	if (job.is_whole || outcome.stopped_ns > scenario.count_from_ns)
		job.arm = arm_of(outcome, scenario, load, policy);
	job.done_ns.store(job.length_ns, std::memory_order_relaxed);
}

double part_done(const std::vector<Job>& jobs)
{
	double done = 0, all = 0;
	for (const Job& job : jobs) {
		done += static_cast<double>(std::min(job.done_ns.load(std::memory_order_relaxed), job.length_ns));
		all += static_cast<double>(job.length_ns);
	}
	return all > 0 ? done / all : 0;
}

// Long ones first would be faster; the order of results is that of the jobs in any case.
void run_all(const SimStudy& study, std::vector<Job>& jobs, StopSignal& stop)
{
	const u32 wanted = study.nr_threads ? study.nr_threads : std::max(1U, std::thread::hardware_concurrency());
	std::atomic<size_t> next = 0, nr_ended = 0;
	std::atomic<bool> stopped = false;
	std::vector<std::thread> threads;
	Bar bar;

	for (size_t i = 0; i < std::min<size_t>({wanted, jobs.size(), kThreadsMax}); i++)
		threads.emplace_back([&] {
			for (size_t at = next++; at < jobs.size(); at = next++) {
				if (!stopped)
					run_job(study, jobs[at], stopped);
				nr_ended++;
			}
		});
	while (nr_ended < jobs.size()) {
		std::this_thread::sleep_for(kLook);
		if (stop.raised())
			stopped = true;
		bar.show(part_done(jobs));
	}
	for (std::thread& thread : threads)
		thread.join();
	bar.clear();
}

// A start in which some policies did not run to the end is no start, unless there is no other.
SimPointResult gather(const SimStudy& study, std::span<Job> jobs, size_t point)
{
	SimPointResult result;
	const size_t nr_policies = study.policies.size();

	for (u64 start = 0; start < study.nr_starts; start++) {
		const std::span<Job> of_start = jobs.subspan(start * nr_policies, nr_policies);
		const bool is_whole = std::ranges::all_of(of_start, &Job::is_whole);
		if (!is_whole && (start > 0 || !result.starts.empty()))
			continue;
		BenchResult bench;
		for (Job& job : of_start)
			if (job.arm)
				bench.arms.push_back(std::move(*job.arm));
		bench.environment = facts_of(study, study.points[point], start);
		if (!bench.arms.empty())
			result.starts.push_back(std::move(bench));
	}
	if (result.starts.size() > 1 && result.starts[0].arms.size() != nr_policies)
		result.starts.erase(result.starts.begin());
	return result;
}

}  // namespace

SimStudyResult run_study(const SimStudy& study, StopSignal& stop)
{
	const size_t jobs_per_point = study.policies.size() * study.nr_starts;
	std::vector<Job> jobs(study.points.size() * jobs_per_point);
	for (size_t i = 0; i < jobs.size(); i++) {
		Job& job = jobs[i];
		job.point = i / jobs_per_point;
		job.start = i % jobs_per_point / study.policies.size();
		job.policy = i % study.policies.size();
		job.length_ns = study.points[job.point].warmup_ns + study.points[job.point].duration_ns;
	}
	run_all(study, jobs, stop);
	SimStudyResult result;
	for (size_t point = 0; point < study.points.size(); point++) {
		const std::span<Job> of_point = std::span(jobs).subspan(point * jobs_per_point, jobs_per_point);
		for (const Job& job : of_point) {
			result.nr_events += job.nr_events;
			result.was_stopped |= !job.is_whole;
		}
		result.points.push_back(gather(study, of_point, point));
	}
	return result;
}

}  // namespace punctual
