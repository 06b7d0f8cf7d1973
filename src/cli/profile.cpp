// SPDX-License-Identifier: GPL-2.0-only
// punctual profile: what the loaded scheduler costs, by statistics and by samples.
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/kernel_symbols.h"
#include "base/perf_sampler.h"
#include "base/sched_ext.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/profile_json.h"
#include "cli/profile_options.h"
#include "export/stacks_text.h"
#include "object/profiled_program.h"
#include "view/profile_page.h"
#include "view/profile_text.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kReadAtLeast{1};  // BPF counters and buffers are larger; a CPU may go away

// Gives the samples names and adds them up.
class SampleNames {
 public:
	SampleNames(KernelSymbols symbols, const std::vector<ProfiledProgram>& programs) : symbols_(std::move(symbols))
	{
		for (const ProfiledProgram& program : programs)
			for (const u64 address : program.addresses)
				if (const std::string_view name = symbols_.name_at(address);
				    name.starts_with("bpf_prog_"))
					program_names_.emplace(name);
	}

	// The whole name of a program, of which the kernel's statistics keep 15 characters.
	std::string name_of(const ProfiledProgram& program) const
	{
		constexpr size_t kPrefix = std::string_view("bpf_prog_0123456789abcdef_").size();
		const std::string_view symbol =
		    program.addresses.empty() ? "" : symbols_.name_at(program.addresses.front());
		const bool is_it = symbol.starts_with("bpf_prog_") && symbol.size() > kPrefix &&
				   symbol.substr(kPrefix).starts_with(program.name);
		return is_it ? std::string(symbol.substr(kPrefix)) : program.name;
	}

	bool know_programs() const { return !program_names_.empty(); }

	void add(const StackSample& sample, Profile* profile)
	{
		profile->nr_samples++;
		if (!sample.is_kernel) {
			profile->weights.user += sample.weight;
			return;
		}
		frames_.clear();
		frames_.reserve(sample.addresses.size());
		for (size_t i = 0; i < sample.addresses.size(); i++) {
			// A call that is the last thing of a function returns to the next one.
			const std::string_view name = symbols_.name_at(sample.addresses[i] - (i > 0 ? 1 : 0));
			profile->nr_unnamed += name.empty() ? 1 : 0;
			frames_.push_back(name.empty() ? "[unnamed]" : name);
		}
		std::ranges::reverse(frames_);
		add_kernel_sample(profile, frames_, program_names_, sample.tid == 0, sample.weight);
	}

 private:
	KernelSymbols symbols_;
	std::set<std::string, std::less<>> program_names_;
	std::vector<std::string_view> frames_;  // of one sample
};

Result<std::vector<ProfiledProgram>> find_programs(const ProfilePlan& plan)
{
	if (plan.programs.empty())
		return callbacks_of_scheduler();
	std::vector<ProfiledProgram> programs;
	programs.reserve(plan.programs.size());
	for (const u32 id : plan.programs)
		programs.push_back(TRY(program_by_id(id)));
	// Also a callback of the loaded scheduler is called so.
	const std::vector<ProfiledProgram> callbacks =
	    callbacks_of_scheduler().value_or(std::vector<ProfiledProgram>());
	for (ProfiledProgram& program : programs)
		if (const auto found = std::ranges::find(callbacks, program.id, &ProfiledProgram::id);
		    found != callbacks.end())
			program.callback = found->callback;
	return programs;
}

void begin_profile(const ProfilePlan& plan, const PerfSampler& sampler, Profile* profile)
{
	utsname system{};
	::uname(&system);
	profile->kernel = system.release;
	profile->nr_cpus = static_cast<u32>(plan.cpus.size());
	profile->frequency_hz = plan.frequency_hz;
	profile->by_cycles = sampler.event() == SampledEvent::cycles;
}

void take_costs(const std::vector<ProfiledProgram>& programs, const SampleNames& names, const ProgramCosts& costs,
		Profile* profile)
{
	profile->elapsed_ns = costs.elapsed_ns;
	profile->callbacks.reserve(programs.size());
	for (size_t i = 0; i < programs.size(); i++)
		profile->callbacks.push_back({programs[i].id, names.name_of(programs[i]), programs[i].callback,
					      costs.programs[i].nr_runs, costs.programs[i].run_ns,
					      costs.programs[i].calibration_ns});
}

Result<Profile> measure(const ProfilePlan& plan, StopSignal* stop)
{
	Profile profile;
	const SchedExtState scheduler = read_sched_ext();
	profile.scheduler = scheduler.ops;
	const std::vector<ProfiledProgram> programs = TRY(find_programs(plan));
	SampleNames names(TRY(KernelSymbols::read()), programs);
	profile.programs_unnamed = !programs.empty() && !names.know_programs();
	std::vector<MeteredProgram> metered;
	metered.reserve(programs.size());
	for (const ProfiledProgram& program : programs)
		metered.push_back({program.fd.get(), program.called_by});
	const ProgramCostMeter meter = TRY(ProgramCostMeter::start(metered));
	PerfSampler sampler = TRY(PerfSampler::start(plan.cpus, plan.frequency_hz));
	begin_profile(plan, sampler, &profile);
	profile.begin_ns = monotonic_ns();
	const auto take = [&](const StackSample& sample) { names.add(sample, &profile); };
	const Clock::time_point end = Clock::now() + plan.duration;
	for (Clock::time_point now = Clock::now(); now < end && !profile.interrupted; now = Clock::now()) {
		const Nanoseconds left = std::min<Nanoseconds>(end - now, kReadAtLeast);
		sampler.wait(stop->fd(), static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
		profile.interrupted = stop->raised();
		sampler.read(take);
	}
	take_costs(programs, names, meter.read(), &profile);
	sampler.stop();
	sampler.read(take);
	profile.nr_lost = sampler.nr_lost();
	profile.nr_throttled = sampler.nr_throttled();
	profile.changed = !scheduler.same_scheduler(read_sched_ext());
	return profile;
}

Status write_files(const ProfileOptions& options, const ProfilePlan& plan, const Profile& profile)
{
	if (!options.out.empty())
		TRY(replace_file(options.out, plan.out_is_svg ? profile_svg(profile) : profile_html(profile)));
	if (!options.folded.empty())
		TRY(replace_file(options.folded, folded_stacks_text(profile.stacks)));
	if (!options.speedscope.empty())
		TRY(replace_file(options.speedscope,
				 speedscope_json(profile.stacks, profile_title(profile),
						 profile.by_cycles ? StackUnit::cycles : StackUnit::nanoseconds)));
	return {};
}

Result<ExitCode> run(const ProfileOptions& options)
{
	const ProfilePlan plan = TRY(profile_plan(options));
	StopSignal stop = TRY(StopSignal::create());
	const Profile profile = TRY(measure(plan, &stop));
	if (options.json)
		fmt::print("{}\n", profile_json(profile));
	else
		fmt::print("{}", profile_text(profile));
	std::fflush(stdout);
	TRY(write_files(options, plan, profile));
	return profile.interrupted ? ExitCode::interrupted : ExitCode::ok;
}

}  // namespace

Action setup_profile(CLI::App& app)
{
	auto options = std::make_shared<ProfileOptions>();
	declare_profile_options(app, options.get());
	app.footer(
	    "Examples:\n"
	    "  sudo punctual profile -d 5s -o profile.html\n"
	    "  sudo punctual run scx_latency -- punctual profile -d 2s\n"
	    "  sudo punctual profile -p 42 --json\n"
	    "Without a scheduler it shows what the kernel's own costs.");
	return [options] { return run(*options); };
}

}  // namespace punctual
