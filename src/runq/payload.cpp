// SPDX-License-Identifier: GPL-2.0-only
#include "runq/payload.h"

#include "base/cpu_list.h"
#include "runq/varint.h"

namespace punctual {
namespace {

constexpr size_t kOutliersMax = 65536;  // in a frame
constexpr size_t kRunnersMax = 64;

std::string begun(FrameKind kind)
{
	return {static_cast<char>(kind)};
}

void put_runner(std::string& out, const Runner& runner)
{
	put_number(out, runner.pid);
	put_text(out, runner.comm);
	put_number(out, runner.cgroup_id);
	put_number(out, runner.ran_ns);
}

Runner runner_of(PayloadReader& in)
{
	Runner runner;
	runner.pid = static_cast<u32>(in.number(~0U));
	runner.comm = in.text();
	runner.cgroup_id = in.number();
	runner.ran_ns = in.number();
	return runner;
}

WaitOutlier outlier_of(PayloadReader& in)
{
	WaitOutlier outlier;
	outlier.end_ns = in.number();
	outlier.wait_ns = in.number();
	outlier.kind = static_cast<WaitKind>(in.number(kWaitKinds - 1));
	outlier.cpu = static_cast<u32>(in.number(CpuList::kCpusMax - 1));
	outlier.pid = static_cast<u32>(in.number(~0U));
	outlier.comm = in.text();
	outlier.cgroup_id = in.number();
	const size_t nr_runners = in.number(kRunnersMax);
	for (size_t i = 0; i < nr_runners && !in.failed(); i++)
		outlier.runners.push_back(runner_of(in));
	return outlier;
}

}  // namespace

std::string environment_payload(const RecordingEnvironment& environment)
{
	std::string out = begun(FrameKind::environment);
	for (const std::string& text : {environment.host, environment.kernel, environment.cpu_model,
					environment.scheduler, environment.command_line, environment.filter})
		put_text(out, text);
	put_number(out, environment.nr_cpus);
	for (u64 number :
	     {environment.start_wall_ns, environment.start_ns, environment.interval_ns, environment.outlier_ns_min})
		put_number(out, number);
	return out;
}

std::optional<RecordingEnvironment> environment_of(std::string_view payload)
{
	PayloadReader in(payload.substr(1));
	RecordingEnvironment environment;
	for (std::string* text : {&environment.host, &environment.kernel, &environment.cpu_model,
				  &environment.scheduler, &environment.command_line, &environment.filter})
		*text = in.text();
	environment.nr_cpus = static_cast<u32>(in.number(CpuList::kCpusMax));
	for (u64* number :
	     {&environment.start_wall_ns, &environment.start_ns, &environment.interval_ns, &environment.outlier_ns_min})
		*number = in.number();
	return in.is_done() ? std::optional(environment) : std::nullopt;
}

std::string outliers_payload(std::span<const WaitOutlier> outliers)
{
	std::string out = begun(FrameKind::outliers);
	outliers = outliers.first(std::min(outliers.size(), kOutliersMax));
	put_number(out, outliers.size());
	for (const WaitOutlier& outlier : outliers) {
		put_number(out, outlier.end_ns);
		put_number(out, outlier.wait_ns);
		put_number(out, static_cast<u64>(outlier.kind));
		put_number(out, outlier.cpu);
		put_number(out, outlier.pid);
		put_text(out, outlier.comm);
		put_number(out, outlier.cgroup_id);
		const size_t nr_runners = std::min(outlier.runners.size(), kRunnersMax);
		put_number(out, nr_runners);
		for (size_t i = 0; i < nr_runners; i++)
			put_runner(out, outlier.runners[i]);
	}
	return out;
}

std::optional<std::vector<WaitOutlier>> outliers_of(std::string_view payload)
{
	PayloadReader in(payload.substr(1));
	std::vector<WaitOutlier> outliers;
	const size_t nr = in.number(kOutliersMax);
	for (size_t i = 0; i < nr && !in.failed(); i++)
		outliers.push_back(outlier_of(in));
	return in.is_done() ? std::optional(std::move(outliers)) : std::nullopt;
}

std::string scheduler_payload(const SchedulerChange& change)
{
	std::string out = begun(FrameKind::scheduler);
	put_number(out, change.at_ns);
	put_text(out, change.state.name);
	put_number(out, change.state.enable_seq);
	put_number(out, change.state.nr_rejected);
	return out;
}

std::optional<SchedulerChange> scheduler_of(std::string_view payload)
{
	PayloadReader in(payload.substr(1));
	SchedulerChange change;
	change.at_ns = in.number();
	change.state.name = in.text();
	change.state.enable_seq = in.number();
	change.state.nr_rejected = in.number();
	return in.is_done() ? std::optional(std::move(change)) : std::nullopt;
}

std::string end_payload(u64 at_ns)
{
	std::string out = begun(FrameKind::end);
	put_number(out, at_ns);
	return out;
}

}  // namespace punctual
