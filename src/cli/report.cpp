// SPDX-License-Identifier: GPL-2.0-only
// punctual report: draws recordings as one page that needs nothing else.
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/waits_file.h"
#include "view/waits_page.h"

namespace punctual {
namespace {

constexpr BlockLength kColumns = {100'000'000, 160};
constexpr size_t kFilesMax = 8;  // as many as there are colours

struct ReportArguments {
	std::vector<std::string> files;
	std::string out;
};

std::string wall_text(u64 since_1970_ns)
{
	const auto seconds = static_cast<time_t>(since_1970_ns / 1'000'000'000);
	tm parts{};
	char text[64] = "?";
	if (gmtime_r(&seconds, &parts)) [[maybe_unused]]
		const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
	return text;
}

std::vector<PageFact> facts_of(const WaitsFile& file)
{
	const RecordingEnvironment& environment = file.recording.environment;
	const auto length_ns = file.blocks.end_ns() - file.blocks.start_ns();
	std::vector<PageFact> facts = {
	    {"file", file.path},
	    {"host", environment.host},
	    {"kernel", environment.kernel},
	    {"CPU", environment.cpu_model},
	    {"CPUs", std::to_string(environment.nr_cpus)},
	    {"scheduler at the start", environment.scheduler},
	    {"recorded at", wall_text(environment.start_wall_ns)},
	    {"length", fmt::format("{:.1f} s", static_cast<double>(length_ns) / 1e9)},
	    {"windows", fmt::format("{}, one each {}", file.recording.nr_windows,
				    format_duration(Nanoseconds(std::min<u64>(environment.interval_ns, INT64_MAX))))},
	    {"only", environment.filter.empty() ? "everything" : environment.filter},
	    {"made by", environment.command_line},
	};
	for (const SchedulerChange& change : file.recording.changes)
		if (change.at_ns > environment.start_ns && facts.size() < 40)
			facts.push_back(
			    {fmt::format("at {:.1f} s", static_cast<double>(change.at_ns - environment.start_ns) / 1e9),
			     fmt::format("{} (enabled {} times since boot, {} tasks rejected)", change.state.name,
					 change.state.enable_seq, change.state.nr_rejected)});
	return facts;
}

WaitsPart part_of(WaitsFile file)
{
	WaitsPart part;
	part.name = std::filesystem::path(file.path).filename().native();
	part.columns = file.blocks.blocks();
	part.start_ns = file.blocks.start_ns();
	part.end_ns = file.blocks.end_ns();
	part.column_ns = file.blocks.block_ns();
	part.environment = facts_of(file);
	for (const SchedulerChange& change : file.recording.changes)
		if (change.at_ns > part.start_ns)
			part.marks.push_back({change.at_ns, change.state.name});
	if (lost_share(file) > kLostShareMax)
		part.warning = fmt::format("more than {:g} % of the events were lost, so its figures prove nothing",
					   100 * kLostShareMax);
	else if (file.recording.was_cut)
		part.warning = fmt::format("it was cut{}{}; what came before is shown",
					   file.recording.damage.empty() ? "" : ": ", file.recording.damage);
	part.total = std::move(file.recording.total);
	part.outliers = std::move(file.recording.outliers);
	part.nr_outliers = file.recording.nr_outliers;
	return part;
}

Result<ExitCode> report(const ReportArguments& arguments)
{
	if (arguments.files.size() > kFilesMax)
		return fail(ExitCode::usage, "{} recordings are too many for one page: give at most {}",
			    arguments.files.size(), kFilesMax);
	std::vector<WaitsPart> parts;
	parts.reserve(arguments.files.size());
	for (const std::string& path : arguments.files)
		parts.push_back(part_of(TRY(read_waits_file(path, kColumns))));
	TRY(replace_file(arguments.out, waits_html(parts)));
	fmt::print(stderr, "punctual: {} written\n", arguments.out);
	return ExitCode::ok;
}

}  // namespace

Action setup_report(CLI::App& app)
{
	auto arguments = std::make_shared<ReportArguments>();
	app.add_option("FILE", arguments->files, "recordings of `punctual record`; several are drawn into one plot")
	    ->required();
	app.add_option("-o,--output", arguments->out, "the page to write")->required();
	return [arguments] { return report(*arguments); };
}

}  // namespace punctual
