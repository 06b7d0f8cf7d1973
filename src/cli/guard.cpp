// SPDX-License-Identifier: GPL-2.0-only
// punctual guard: its options, and what is done with one that runs already or ran before.
#include <memory>

#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/guard_files.h"
#include "cli/guard_plan.h"
#include "cli/guard_run.h"
#include "view/text.h"

namespace punctual {
namespace {

struct GuardCommand {
	GuardOptions options;
	bool check = false;
	bool reset = false;
	bool reload = false;
	bool clean_up = false;
};

Result<ExitCode> check(const GuardOptions& options)
{
	const GuardPlan plan = TRY(make_guard_plan(options));
	for (const std::string& note : plan.notes)
		fmt::print(stderr, "guard: {}\n", clean_text(note));
	for (const std::string& line : config_lines(plan.config))
		fmt::print("{}\n", clean_text(line));
	return ExitCode::ok;
}

Result<ExitCode> reload(const GuardOptions& options)
{
	const auto path = control_path(options.state_dir);
	const auto reply = TRY(ask_guard({.kind = ControlKind::reload}, path));
	if (!reply)
		return fail(ExitCode::failed, "no guard listens at {}", path.native());
	if (reply->code != ExitCode::ok)
		return std::unexpected(Error{reply->code, reply->text});
	fmt::print(stderr, "guard: {}\n", clean_text(reply->text));
	return ExitCode::ok;
}

Result<ExitCode> guard(const GuardCommand& command)
{
	const GuardOptions& options = command.options;
	if (command.check + command.reload + command.reset + command.clean_up > 1)
		return fail(ExitCode::usage,
			    "--check, --reload, --reset and --clean-up are different things: give one");
	if (command.check)
		return check(options);
	if (command.reload)
		return reload(options);
	if (command.reset)
		TRY(reset_guard(options.state_dir));
	if (command.clean_up)
		TRY(clean_up_after_guard(options.state_dir));
	if (command.reset || command.clean_up)
		return ExitCode::ok;
	return run_guard(options, TRY(make_guard_plan(options)));
}

}  // namespace

Action setup_guard(CLI::App& app)
{
	auto command = std::make_shared<GuardCommand>();
	GuardOptions& options = command->options;
	declare_scheduler_options(app, &options.run);
	app.get_option("SCHED")->required(false);
	app.get_option("--config")
	    ->description("TOML file, or folder with punctual.toml and conf.d/*.toml; without SCHED: /etc/punctual");
	app.add_option("--slo", options.slo,
		       "a rule, e.g. \"p99(vnf.slice) > 100us for 10s then fallback\" (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--on-fallback", options.on_fallback,
		       "a command to run when the machine fell back to EEVDF; no shell, 30 s at most");
	app.add_option("--webhook", options.webhook, "URL that gets every alert as JSON by an HTTP POST (needs curl)");
	app.add_option("--state-dir", options.state_dir, "folder for the guard's state and for faults")
	    ->capture_default_str();
	app.add_option("--metrics", options.metrics, "file for Prometheus, replaced at each change");
	app.add_flag("--check", command->check,
		     "load nothing: check flags and configuration, and show what would be done");
	app.add_flag("--reload", command->reload, "tell the guard that runs to read its configuration anew");
	app.add_flag("--reset", command->reset, "tell the guard that runs, or the next one, to load again");
	app.add_flag("--clean-up", command->clean_up, "undo what a guard that was killed left");
	app.footer(
	    "Examples:\n"
	    "  sudo punctual guard scx_latency --slice vnf.slice=60us --slo \"p99(vnf.slice) > 100us for 10s\"\n"
	    "  punctual guard --check --config /etc/punctual\n"
	    "  sudo punctual guard --reset\n"
	    "Three faults in ten minutes and it stays on EEVDF until --reset. SIGTERM unloads at once.");
	return [command] { return guard(*command); };
}

}  // namespace punctual
