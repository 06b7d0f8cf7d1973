// SPDX-License-Identifier: GPL-2.0-only
// punctual doctor: looks at the machine and says what stands in the way, with the remedy for each thing.
// What it looks at is in doctor_facts, what it thinks of that in doctor_checks.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/doctor_checks.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

const char* level_text(Level level)
{
	switch (level) {
	case Level::ok:
		return "ok";
	case Level::warn:
		return "warn";
	case Level::fail:
		break;
	}
	return "fail";
}

const char* purpose_text(Purpose purpose)
{
	switch (purpose) {
	case Purpose::native:
		return "native";
	case Purpose::tracing:
		return "tracing";
	case Purpose::lab:
		return "lab";
	case Purpose::building:
		break;
	}
	return "building";
}

void print_text(const std::vector<Check>& checks)
{
	for (const Check& check : checks)
		fmt::print("{:<4}  {:<12}  {}{}{}\n", level_text(check.level), check.name, check.finding,
			   check.remedy.empty() ? "" : "; remedy: ", check.remedy);
	fmt::print("{}\n", verdict(checks));
}

void print_json(const std::vector<Check>& checks, const MachineFacts& facts)
{
	Json list = Json::array();
	for (const Check& check : checks)
		list.push_back({{"name", check.name},
				{"purpose", purpose_text(check.purpose)},
				{"level", level_text(check.level)},
				{"finding", check.finding},
				{"remedy", check.remedy}});
	const Json document = {{"schema", "punctual.doctor"},
			       {"version", 1},
			       {"kernel", facts.kernel_release},
			       {"native_ready", is_ready(checks, Purpose::native)},
			       {"tracing_ready", is_ready(checks, Purpose::tracing)},
			       {"lab_ready", is_ready(checks, Purpose::lab)},
			       {"checks", list}};
	// A kernel command line is bytes, JSON is UTF-8: replace what is not.
	fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Action setup_doctor(CLI::App& app)
{
	struct Options {
		bool json = false;
		bool strict = false;
		std::string cpus;
	};
	auto options = std::make_shared<Options>();
	app.add_option("--cpus", options->cpus, "look at the interrupts of these CPUs too, as for `run --cpus`");
	app.add_flag("--strict", options->strict, "exit status 1 when there are warnings");
	app.add_flag("-j,--json", options->json, "print one JSON document (schema punctual.doctor)");
	app.footer("Exit status: 0 this machine can run punctual natively, 3 something stands in the way.");
	return [options]() -> Result<ExitCode> {
		const CpuList asked = options->cpus.empty() ? CpuList{} : TRY(cpus_of_this_machine(options->cpus));
		const MachineFacts facts = look_at_this_machine(asked);
		const std::vector<Check> checks = examine(facts);
		if (options->json)
			print_json(checks, facts);
		else
			print_text(checks);
		if (!is_ready(checks, Purpose::native))
			return ExitCode::lacking;
		const bool warned =
		    std::ranges::any_of(checks, [](const Check& check) { return check.level != Level::ok; });
		return options->strict && warned ? ExitCode::failed : ExitCode::ok;
	};
}

}  // namespace punctual
