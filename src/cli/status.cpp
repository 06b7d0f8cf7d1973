// SPDX-License-Identifier: GPL-2.0-only
// punctual status and punctual unload: look at, and detach, whatever scheduler is loaded. Root does it itself; for
// members of the group `punctual` a guard does.
#include <unistd.h>

#include <memory>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/status_document.h"
#include "object/loaded.h"
#include "scope/partial.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

double microseconds(const Json& ns)
{
	return ns.get<double>() / 1e3;
}

double seconds(const Json& ns)
{
	return ns.get<double>() / 1e9;
}

// Texts of a document are clean already where it was made.
std::string text_of(const Json& json)
{
	return json.get<std::string>();
}

void print_classes(const Json& classes)
{
	if (classes.empty())
		return;
	fmt::print("{:<24} {:>10} {:>12} {:>10} {:>10} {:>10} {:>10}\n", "cgroup", "budget", "waits", "missed",
		   "p50 us", "p99 us", "max us");
	for (const Json& row : classes)
		fmt::print("{:<24} {:>10} {:>12} {:>10} {:>10.1f} {:>10.1f} {:>10.1f}\n", text_of(row.at("cgroup")),
			   format_duration(Nanoseconds(row.at("budget_ns").get<int64_t>())),
			   row.at("waits").get<uint64_t>(), row.at("missed").get<uint64_t>(),
			   microseconds(row.at("p50_ns")), microseconds(row.at("p99_ns")),
			   microseconds(row.at("max_ns")));
	for (const Json& row : classes)
		if (row.at("infeasible_windows").get<uint64_t>() > 0)
			fmt::print("{}: {}, the last {:.1f} s ago: {}\n", text_of(row.at("cgroup")),
				   text_of(row.at("infeasible_count")), seconds(row.at("infeasible_ns_ago")),
				   text_of(row.at("infeasible_text")));
}

void print_guard(const Json& guard)
{
	if (guard.is_null())
		return;
	const std::string reason = text_of(guard.at("reason"));
	fmt::print("guard      {} {}{}{}\n", text_of(guard.at("phase")), text_of(guard.at("scheduler")),
		   reason.empty() ? "" : ": ", clean_text(reason));
	if (const std::string error = text_of(guard.at("config_error")); !error.empty())
		fmt::print("           the configuration was not taken, the one before holds: {}\n", clean_text(error));
}

void print_text(const Json& status)
{
	if (!status.at("enabled").get<bool>()) {
		fmt::print("no sched_ext scheduler is loaded: the kernel runs its own\n");
		return print_guard(status.at("guard"));
	}
	fmt::print("scheduler  {} ({}), loaded {} s ago\n", text_of(status.at("scheduler")),
		   status.at("serves_all").get<bool>() ? "serves all tasks" : "partial: SCHED_EXT only",
		   status.at("loaded_ns_ago").get<uint64_t>() / 1000000000);
	print_guard(status.at("guard"));
	fmt::print("programs  ");
	for (const Json& program : status.at("programs"))
		fmt::print(" {}:{}", program.at("id").get<uint32_t>(), text_of(program.at("name")));
	fmt::print("\n");
	if (status.contains("counters"))
		for (const auto& [name, value] : status.at("counters").items())
			fmt::print("{:<20} {:>14}\n", name, value.get<uint64_t>());
	print_classes(status.at("classes"));
}

// What the guard says of itself, and to a user who is not root also what it sees.
Result<Json> status_json()
{
	const Result<std::optional<ControlReply>> reply = ask_guard({.kind = ControlKind::status});
	const bool is_answered = reply && *reply && (*reply)->code == ExitCode::ok;
	Json data = is_answered ? Json::parse((*reply)->data, nullptr, false) : Json::object();
	Json status;
	if (is_answered && ::geteuid() != 0) {
		status = std::move(data["status"]);
	} else {
		status = Json::parse(TRY(status_document()), nullptr, false);
	}
	status["guard"] = is_answered ? std::move(data["guard"]) : Json();
	return status;
}

}  // namespace

Action setup_status(CLI::App& app)
{
	auto as_json = std::make_shared<bool>(false);
	app.add_flag("-j,--json", *as_json, "one JSON document");
	return [as_json]() -> Result<ExitCode> {
		const Json status = TRY(status_json());
		if (*as_json)
			fmt::print("{}\n", status.dump(2));
		else
			try {  // the JSON library reports by exception; it stops here
				print_text(status);
			} catch (const Json::exception& error) {
				return fail(ExitCode::failed, "the guard is of another version than this program: {}",
					    error.what());
			}
		return ExitCode::ok;
	};
}

Action setup_unload(CLI::App&)
{
	return []() -> Result<ExitCode> {
		if (TRY(through_guard({.kind = ControlKind::unload}))) {
			fmt::print(stderr, "punctual: the guard detaches; the kernel runs its own scheduler\n");
			return ExitCode::ok;
		}
		Status unloaded = unload_scheduler();
		if (unloaded)
			fmt::print(stderr, "punctual: detached; the kernel runs its own scheduler\n");
		// What a killed loader left is repaired even when a scheduler resists.
		std::vector<std::string> repaired = TRY(repair_partial_scope());
		for (const std::string& line : repaired)
			fmt::print(stderr, "punctual: {}\n", line);
		const auto left = loaded_scheduler();
		if (!unloaded && (repaired.empty() || left.value_or(std::nullopt)))
			return std::unexpected(unloaded.error());
		return ExitCode::ok;
	};
}

}  // namespace punctual
