// SPDX-License-Identifier: GPL-2.0-only
// punctual lab: runs a command in a freshly booted kernel with sched_ext.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/stop.h"
#include "base/units.h"
#include "cli/commands.h"
#include "lab/lab.h"

namespace punctual {
namespace {

struct LabArguments {
	LabOptions options;
	std::string memory = "1G";
	std::string time = "virtual";
	std::string settle = "4s";
	std::string timeout = "5m";
	std::string out;
	std::string console;
	std::vector<std::string> command;
};

Result<LabOptions> options_of(const LabArguments& arguments)
{
	LabOptions options = arguments.options;
	options.memory_bytes = TRY(parse_size(arguments.memory));
	options.settle = TRY(parse_duration(arguments.settle));
	options.timeout = TRY(parse_duration(arguments.timeout));
	if (arguments.time != "virtual" && arguments.time != "wall")
		return fail(ExitCode::usage, "--time is virtual or wall, not '{}'", arguments.time);
	options.time = arguments.time == "wall" ? LabTime::wall : LabTime::virtual_time;
	options.out = arguments.out;
	options.console = arguments.console;
	return options;
}

void write_through(FILE* stream, std::string_view bytes)
{
	std::fwrite(bytes.data(), 1, bytes.size(), stream);
	std::fflush(stream);
}

// A bar where a person watches, else one line before and one after.
class DownloadBar {
 public:
	void show(std::string_view what, double fraction)
	{
		constexpr int kWidth = 40;
		if (!is_terminal_ && !begun_)
			fmt::print(stderr, "punctual: fetching {}\n", what);
		begun_ = true;
		what_ = what;
		if (!is_terminal_)
			return;
		const int filled = static_cast<int>(fraction * kWidth);
		fmt::print(stderr, "\rfetching {} [{:#<{}}{:.<{}}] {:3.0f} %", what, "", filled, "", kWidth - filled,
			   fraction * 100);
	}

	// Before anything else is printed. `fetched`: whether it all went well.
	void end(bool fetched)
	{
		if (begun_ && is_terminal_)
			fmt::print(stderr, "\r\033[K");
		if (begun_ && fetched)
			fmt::print(stderr, "punctual: fetched {}\n", what_);
		begun_ = false;
	}

 private:
	bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
	bool begun_ = false;
	std::string what_;
};

Result<ExitCode> run(const LabArguments& arguments)
{
	LabOptions options = TRY(options_of(arguments));
	StopSignal stop = TRY(StopSignal::create());
	options.stop_fd = stop.fd();
	DownloadBar bar;
	LabListener listener;
	listener.out = [](std::string_view bytes) { write_through(stdout, bytes); };
	listener.err = [](std::string_view bytes) { write_through(stderr, bytes); };
	listener.store.note = [](std::string_view line) { fmt::print(stderr, "punctual: {}\n", line); };
	listener.store.progress = [&](std::string_view what, double fraction) { bar.show(what, fraction); };
	listener.on_started = [&] { bar.end(true); };
	const auto result = run_in_lab(options, arguments.command, listener);
	bar.end(false);
	if (stop.raised())
		return fail(ExitCode::interrupted, "interrupted");
	if (!result)
		return std::unexpected(result.error());
	return static_cast<ExitCode>(result->status);
}

}  // namespace

Action setup_lab(CLI::App& app)
{
	auto arguments = std::make_shared<LabArguments>();
	app.add_option("--kernel", arguments->options.kernel,
		       "series or exact version: 6.16, 6.17, 6.18, 6.19, 7.0, 7.3")
	    ->capture_default_str();
	app.add_option("--cpus", arguments->options.cpus, "virtual CPUs")->capture_default_str();
	app.add_option("--caches", arguments->options.caches, "last-level caches that the CPUs share evenly")
	    ->capture_default_str();
	app.add_option("--memory", arguments->memory, "memory of the guest")->capture_default_str();
	app.add_option("--time", arguments->time, "virtual: repeatable, 1 instruction is 1 ns; wall: the host's clock")
	    ->capture_default_str();
	app.add_option("--settle", arguments->settle, "guest time between boot and command")->capture_default_str();
	app.add_option("--timeout", arguments->timeout, "host time for the command")->capture_default_str();
	app.add_option("--out", arguments->out, "directory that receives what the command leaves in /out");
	app.add_option("--console", arguments->console, "file that keeps the guest's console");
	app.add_option("--root", arguments->options.root,
		       "Debian with systemd in the guest: bookworm, trixie, a directory or a tar archive");
	app.add_option("--package", arguments->options.packages, "Debian package for the root of a release")
	    ->allow_extra_args(false);
	app.add_option("--file", arguments->options.files, "HOST:GUEST, a file or directory to bring along to a place")
	    ->allow_extra_args(false);
	app.add_option("--include", arguments->options.include,
		       "file or directory to bring along, at the same path (relative ones below the guest's /root)")
	    ->allow_extra_args(false);
	app.add_option("--module", arguments->options.modules,
		       "kernel module to load before the command, with what it depends on")
	    ->allow_extra_args(false);
	app.add_option("--env", arguments->options.environment, "NAME=VALUE for the command")->allow_extra_args(false);
	app.add_option("command", arguments->command, "the command and its arguments, after --")->required();
	app.positionals_at_end();
	return [arguments] { return run(*arguments); };
}

}  // namespace punctual
