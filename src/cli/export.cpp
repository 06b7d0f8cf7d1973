// SPDX-License-Identifier: GPL-2.0-only
// punctual export: a recording in the format of another program.
#include <memory>

#include "base/file.h"
#include "cli/commands.h"
#include "export/perfetto.h"
#include "export/waits_text.h"
#include "runq/recording.h"

namespace punctual {
namespace {

struct ExportArguments {
	std::string file;
	std::string format;
	std::string out;
};

Result<ExitCode> export_recording(const ExportArguments& arguments)
{
	if (arguments.format != "prometheus" && arguments.format != "folded" && arguments.format != "perfetto")
		return fail(ExitCode::usage, "--format '{}': give perfetto, folded or prometheus", arguments.format);
	const bool is_trace = arguments.format == "perfetto";
	PerfettoTrace trace;
	const Recording recording = TRY(read_recording(arguments.file, [&](u64 begin_ns, const WaitSnapshot& window) {
		if (is_trace)
			trace.add_window(begin_ns, window);
	}));
	if (recording.was_cut)
		fmt::print(stderr, "punctual: {} was cut; what came before is exported\n", arguments.file);
	if (is_trace) {
		for (const SchedulerChange& change : recording.changes)
			trace.add_instant(change.at_ns, change.state.name);
		trace.add_outliers(recording.outliers, recording.total);
	}
	const std::string text = is_trace ? trace.bytes()
				 : arguments.format == "folded"
				     ? folded_text(recording.total)
				     : prometheus_text(recording.total, recording.environment.scheduler);
	TRY(replace_file(arguments.out, text));
	return ExitCode::ok;
}

}  // namespace

Action setup_export(CLI::App& app)
{
	auto arguments = std::make_shared<ExportArguments>();
	app.add_option("FILE", arguments->file, "recording of `punctual record`")->required();
	app.add_option("--format", arguments->format, "perfetto, folded or prometheus")->required();
	app.add_option("-o,--output", arguments->out, "the file to write")->required();
	return [arguments] { return export_recording(*arguments); };
}

}  // namespace punctual
