// SPDX-License-Identifier: GPL-2.0-only
// punctual: one binary, git-like subcommands. This file only finds the subcommand, runs it,
// and turns its result into one line on stderr and an exit code.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace punctual {
namespace {

struct Command {
	const char* name;
	const char* summary;
	Action (*setup)(CLI::App&);
	bool hidden;
};

constexpr Command kCommands[] = {
    {"doctor", "tell whether this machine can run punctual, and the remedy for each thing missing", setup_doctor,
     false},
    {"run", "load a sched_ext scheduler and watch it until it ends", setup_run, false},
    {"status", "show which scheduler is loaded, since when, and its counters", setup_status, false},
    {"unload", "detach the loaded scheduler: back to the kernel's own", setup_unload, false},
    {"budget", "latency budgets of the loaded scheduler, changed while it runs", setup_budget, false},
    {"runq", "how long tasks wait for a CPU, under any scheduler", setup_runq, false},
    {"top", "the waits for a CPU as they happen, full screen: by CPU, cgroup, task and culprit", setup_top, false},
    {"record", "record run-queue waits into a file", setup_record, false},
    {"report", "draw recordings as one HTML page", setup_report, false},
    {"compare", "tell whether the waits of two recordings differ, or whether that is noise", setup_compare, false},
    {"export", "a recording in the format of another program", setup_export, false},
    {"bench", "packet function against telemetry under several schedulers, in one table", setup_bench, false},
    {"rollout", "a scheduler on a part of the CPUs, measured against EEVDF, and kept or reverted by a rule",
     setup_rollout, false},
    {"profile", "what the loaded scheduler costs: each callback, and stacks in the kernel as a flame graph",
     setup_profile, false},
    {"guard", "keep a scheduler loaded; on a fault or a broken rule fall back to EEVDF, tell, and load again",
     setup_guard, false},
    {"serve", "metrics for Prometheus and a live page, over HTTP, read-only", setup_serve, false},
    {"sim", "the bench on a simulated machine, of up to 1,024 CPUs; or a kernel's decisions again", setup_sim, false},
    {"lab", "boot a real kernel with sched_ext in QEMU and run a command inside", setup_lab, false},
    {"completions", "print the script by which a shell completes our commands and options", setup_completions, false},
    {"lab-init", "first process inside the lab (not for people)", setup_lab_init, true},
};

int exit_with(const Error& error)
{
	fmt::print(stderr, "punctual: {}\n", error.what);
	return static_cast<int>(error.code);
}

int run(int argc, char** argv)
{
	CLI::App app{"punctual keeps latency budgets on shared CPUs"};
	app.require_subcommand(1);
	app.set_version_flag("--version", "punctual " PUNCTUAL_VERSION);
	std::vector<std::pair<CLI::App*, Action>> actions;
	for (const Command& command : kCommands) {
		CLI::App* sub = app.add_subcommand(command.name, command.summary);
		if (command.hidden)
			sub->group("");
		actions.emplace_back(sub, command.setup(*sub));
	}
	try {  // CLI11 reports by exception; it stops here
		app.parse(argc, argv);
	} catch (const CLI::Success& help) {
		return app.exit(help);
	} catch (const CLI::ParseError& error) {
		return exit_with({ExitCode::usage, fmt::format("{} (see punctual --help)", error.what())});
	}
	for (auto& [sub, action] : actions) {
		if (!sub->parsed())
			continue;
		Result<ExitCode> code = action();
		return code ? static_cast<int>(*code) : exit_with(code.error());
	}
	return static_cast<int>(ExitCode::usage);
}

}  // namespace
}  // namespace punctual

int main(int argc, char** argv)
{
	signal(SIGPIPE, SIG_DFL);  // `punctual ... | head` ends quietly
	char lab_init[] = "lab-init";
	char* first_process[] = {argv[0], lab_init, nullptr};
	if (getpid() == 1 && std::string_view(argv[0]) == "/init")  // the kernel of a lab guest started us
		return punctual::run(2, first_process);
	return punctual::run(argc, argv);
}
