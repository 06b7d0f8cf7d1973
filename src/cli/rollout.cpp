// SPDX-License-Identifier: GPL-2.0-only
// punctual rollout: does what src/bench/rollout_state.h decides, and has it on record before it does it.
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/sched_ext.h"
#include "base/stop.h"
#include "bench/arm_setup.h"
#include "bench/rollout_record.h"
#include "cli/commands.h"
#include "cli/rollout_measure.h"
#include "cli/rollout_options.h"
#include "cli/rollout_report.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr const char* kStateFile = "/var/lib/punctual/rollout.json";
// A killed process's scheduler is gone when the kernel has closed its files.
constexpr int kGoneTries = 100;
constexpr std::chrono::milliseconds kGonePause{100};

std::string kernel_release()
{
	utsname system{};
	::uname(&system);
	return system.release;
}

Status save(const RolloutRecord& record, const std::string& file)
{
	return replace_file(file, record_to_json(record));
}

// nullopt: there is none.
Result<std::optional<RolloutRecord>> read_record(const std::string& file)
{
	std::error_code error;
	if (!std::filesystem::exists(file, error))
		return std::nullopt;
	Result<RolloutRecord> record = record_from_json(TRY(read_file(file)));
	if (!record)
		return fail(ExitCode::failed, "{} is no record of a roll-out: {} (remove it, or give another --state)",
			    file, record.error().what);
	return std::optional(std::move(*record));
}

std::string place_of(const RolloutRecord& record)
{
	if (record.state.phase == RolloutPhase::keeping)
		return "the scheduler was kept";
	return fmt::format("step {}, run {}", record.state.step + 1, record.state.run + 1);
}

// What somebody else loaded is not ours to end.
Status wait_until_none_is_loaded()
{
	std::string ops = read_sched_ext().ops;
	for (int tries = 0; !ops.empty() && tries < kGoneTries; tries++) {
		std::this_thread::sleep_for(kGonePause);
		ops = read_sched_ext().ops;
	}
	if (ops.empty())
		return {};
	return fail(ExitCode::lacking,
		    "scheduler {} is loaded, so nothing can be rolled out (punctual unload, or stop its service)", ops);
}

// Nothing is loaded by us between two runs, so this makes sure of what should be so, and cleans up after a kill.
Status fall_back(const RolloutRecord& record)
{
	TRY(wait_until_none_is_loaded());
	for (const std::string& line : TRY(remove_left_cgroups(record)))
		fmt::print(stderr, "rollout: {}\n", line);
	return {};
}

class Rollout {
 public:
	Rollout(RolloutOptions options, RolloutSetup setup, RolloutOutput output, RolloutRecord record, StopSignal stop)
	    : options_(std::move(options)),
	      setup_(std::move(setup)),
	      output_(std::move(output)),
	      record_(std::move(record)),
	      stop_(std::move(stop))
	{}

	Result<ExitCode> run()
	{
		RolloutAction action = begin(setup_.plan, &record_.state);
		while (action.kind != RolloutActionKind::end) {  // the plan has an end, and so has each action but keep
			// What cannot be put on record is not done: nobody could clean up after it.
			if (Status saved = save(record_, output_.state); !saved) {
				(void)fall_back(record_);
				return std::unexpected(saved.error());
			}
			action = next(setup_.plan, &record_.state, act(action));
		}
		TRY(report());
		if (record_.state.can_resume())
			TRY(save(record_, output_.state));
		else
			::unlink(output_.state.c_str());
		const bool by_rule = record_.state.code == ExitCode::ok || record_.state.code == ExitCode::regression ||
				     record_.state.code == ExitCode::inconclusive;
		if (!by_rule)
			return fail(record_.state.code, "{}{}", record_.state.reason,
				    record_.state.can_resume()
					? fmt::format(" (punctual rollout --resume --state {} goes on)", output_.state)
					: "");
		return record_.state.code;
	}

 private:
	RolloutEvent act(const RolloutAction& action)
	{
		switch (action.kind) {
		case RolloutActionKind::fall_back:
			if (Status done = fall_back(record_); !done)
				return failed(done.error());
			return {.kind = RolloutEventKind::fell_back};
		case RolloutActionKind::measure:
			return measure(action.arm);
		case RolloutActionKind::keep:
			return failed(keep());
		case RolloutActionKind::end:
			break;
		}
		return {};
	}

	static RolloutEvent failed(const Error& error)
	{
		return {.kind = RolloutEventKind::failed, .code = error.code, .reason = error.what};
	}

	RolloutEvent measure(RolloutArm arm)
	{
		const uint64_t step = record_.state.step, run = record_.state.run;
		fmt::print(stderr, "rollout: step {} of {} (cpus {}), run {} of {}: {}\n", step + 1,
			   setup_.plan.steps.size(), setup_.plan.steps[step].text(), run + 1, 2 * setup_.plan.nr_pairs,
			   arm == RolloutArm::eevdf ? "EEVDF" : options_.sched);
		Result<RolloutRun> measured = stop_.raised() ? fail(ExitCode::interrupted, "interrupted")
							     : measure_rollout(setup_, step, run / 2, arm, stop_);
		if (!measured)
			return failed(measured.error());
		return {.kind = RolloutEventKind::measured, .run = *measured};
	}

	// `punctual run` does all that keeping takes (hotplug, attributes, ejection), so we become it. Returns only
	// when that was not possible.
	Error keep()
	{
		if (stop_.raised())
			return {ExitCode::interrupted, "interrupted"};
		if (Status reported = report(); !reported)
			return reported.error();
		std::vector<std::string> command = keep_command(options_, setup_);
		fmt::print(stderr, "rollout: {}\n", fmt::join(command, " "));
		std::fflush(nullptr);
		std::vector<char*> arguments;
		arguments.reserve(command.size() + 1);
		for (std::string& word : command)
			arguments.push_back(word.data());
		arguments.push_back(nullptr);
		::execv("/proc/self/exe", arguments.data());
		return {ExitCode::failed,
			fail_errno(errno, ExitCode::failed, "cannot start punctual run").error().what};
	}

	Status report()
	{
		const RolloutReport report{options_, setup_, record_.state, record_.kernel,
					   fmt::format("punctual rollout {}", fmt::join(record_.arguments, " "))};
		if (!output_.page.empty())
			TRY(replace_file(output_.page, rollout_html(report)));
		fmt::print("{}", output_.json ? rollout_json(report) : rollout_text(report));
		return {};
	}

	RolloutOptions options_;
	RolloutSetup setup_;
	RolloutOutput output_;
	RolloutRecord record_;
	StopSignal stop_;
};

Status refuse_unusable(const RolloutSetup& setup, const RolloutOutput& output)
{
	TRY(refuse_impossible(setup.arm));
	const std::filesystem::path directory = std::filesystem::path(output.page).parent_path();
	if (!output.page.empty() && ::access(directory.empty() ? "." : directory.c_str(), W_OK) != 0)
		return fail_errno(errno, ExitCode::usage, fmt::format("cannot write {}", output.page));
	return {};
}

// Goes on with what is on record. The options given now say only where the report goes.
Result<ExitCode> resume(const RolloutOptions& given, const RolloutOutput& output, std::optional<RolloutRecord> found)
{
	if (rollout_arguments(given) != rollout_arguments(RolloutOptions()))
		return fail(ExitCode::usage,
			    "--resume goes on with what is on record in {}: leave the other options out", output.state);
	if (!found)
		return fail(ExitCode::usage, "there is no roll-out on record in {}", output.state);
	if (!found->state.can_resume())
		return fail(ExitCode::usage, "the roll-out on record in {} is over: {}", output.state,
			    found->state.reason);
	if (found->kernel != kernel_release())
		return fail(
		    ExitCode::usage,
		    "the roll-out on record ran on kernel {}, this is {}: what was measured there says nothing here, "
		    "so begin anew",
		    found->kernel, kernel_release());
	RolloutOptions options = TRY(rollout_options_from(found->arguments));
	RolloutSetup setup = TRY(rollout_setup(options, !output.exits));
	TRY(refuse_unusable(setup, output));
	fmt::print(stderr, "rollout: going on with {} at {}\n", options.sched, place_of(*found));
	found->pid = ::getpid();
	if (!setup.is_own_load() && !found->has_cgroups)  // one that was put aside
		TRY(claim_cgroups(&*found));
	return Rollout(std::move(options), std::move(setup), output, std::move(*found), TRY(StopSignal::create()))
	    .run();
}

Result<ExitCode> start(const RolloutOptions& options, const RolloutOutput& output, std::optional<RolloutRecord> found)
{
	RolloutSetup setup = TRY(rollout_setup(options, !output.exits));
	TRY(refuse_unusable(setup, output));
	StopSignal stop = TRY(StopSignal::create());
	if (found) {
		const std::string old = output.state + ".old";
		fmt::print(stderr,
			   "rollout: found one that did not end, {} at {} (process {}); cleaning up after it and "
			   "beginning anew "
			   "(punctual rollout --resume --state {} goes on with it instead)\n",
			   found->arguments.empty() ? "?" : clean_text(found->arguments.front()), place_of(*found),
			   found->pid, old);
		TRY(fall_back(*found));
		found->has_cgroups = false;  // what has those names from here on is of another roll-out
		TRY(save(*found, old));
	}
	RolloutRecord record{.arguments = rollout_arguments(options), .kernel = kernel_release(), .pid = ::getpid()};
	if (!setup.is_own_load())
		TRY(claim_cgroups(&record));
	return Rollout(options, std::move(setup), output, std::move(record), std::move(stop)).run();
}

Result<ExitCode> rollout(const RolloutOptions& options, const RolloutOutput& output)
{
	if (!output.resume)  // what is wrong with the options is said before files are touched
		TRY(rollout_setup(options, !output.exits));
	if (::geteuid() != 0)
		return fail(ExitCode::lacking, "a roll-out loads schedulers: run as root, or in punctual lab");
	const std::filesystem::path directory = std::filesystem::path(output.state).parent_path();
	std::error_code error;
	if (!directory.empty())
		std::filesystem::create_directories(directory, error);
	// Held until the end: two at a time would measure each other. Keeping gives it up.
	Result<UniqueFd> lock = lock_file(output.state + ".lock", -1, std::chrono::milliseconds(0));
	if (!lock)
		return fail(lock.error().code, "{}; --state FILE puts a roll-out on record elsewhere",
			    lock.error().what);
	std::optional<RolloutRecord> found = TRY(read_record(output.state));
	return output.resume ? resume(options, output, std::move(found)) : start(options, output, std::move(found));
}

}  // namespace

Action setup_rollout(CLI::App& app)
{
	auto options = std::make_shared<RolloutOptions>();
	auto output = std::make_shared<RolloutOutput>();
	output->state = kStateFile;
	declare_rollout_options(app, options.get(), output.get());
	return [options, output] { return rollout(*options, *output); };
}

}  // namespace punctual
