// SPDX-License-Identifier: GPL-2.0-only
// punctual sim: the policy without a kernel. So far: asks it again what a kernel's scheduler asked it.
#include <memory>

#include "base/file.h"
#include "cli/commands.h"
#include "sim/replay.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kRecordingBytesMax = 1UL << 30;  // four times what `run` writes

void print_report(const sim::ReplayReport& report)
{
	for (u32 kind = DECISION_END + 1; kind < DECISION_KINDS; kind++)
		fmt::print("{:<22}{:>10}\n", sim::decision_name(kind), report.nr_records[kind]);
	fmt::print("{} decisions of kernel {}: {} differ here\n", report.nr_decisions(), clean_text(report.kernel),
		   report.nr_differing);
	if (report.nr_differing)
		fmt::print("{}\n", report.first_difference);
}

Result<ExitCode> replay_file(const std::string& path)
{
	const std::string bytes = TRY(read_file(path, kRecordingBytesMax));
	auto report = sim::replay(std::as_bytes(std::span(bytes)));
	if (!report)
		return fail(report.error().code, "{}: {}", path, report.error().what);
	print_report(*report);
	if (report->nr_differing)
		return ExitCode::failed;
	if (!report->is_complete())
		return fail(ExitCode::invalid, "{} is not complete: {} decisions were lost, {} left out{}", path,
			    report->nr_lost, report->nr_left_out,
			    report->is_cut ? ", and it ends before the scheduler did" : "");
	if (report->nr_decisions() == 0)
		return fail(ExitCode::invalid, "{} has no decisions: nothing was compared", path);
	return ExitCode::ok;
}

}  // namespace

Action setup_sim(CLI::App& app)
{
	auto path = std::make_shared<std::string>();
	app.add_option("--replay", *path,
		       "recording of `punctual run --record-decisions`: would all be decided so here?")
	    ->required();
	return [path] { return replay_file(*path); };
}

}  // namespace punctual
