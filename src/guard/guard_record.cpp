// SPDX-License-Identifier: GPL-2.0-only
#include "guard/guard_record.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <nlohmann/json.hpp>

#include "base/json_document.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "punctual.guard_state";
constexpr int kVersion = 1;
constexpr std::array kPhases = {GuardPhase::resting,   GuardPhase::loading, GuardPhase::running,
				GuardPhase::unloading, GuardPhase::held,    GuardPhase::ended};
constexpr std::array kHeldBy = {HeldBy::nobody, HeldBy::breaker, HeldBy::person, HeldBy::foreign};
constexpr std::array kClasses = {ExitClass::asked_for, ExitClass::hotplug, ExitClass::error,   ExitClass::stall,
				 ExitClass::sysrq,     ExitClass::kernel,  ExitClass::refused, ExitClass::slo};
constexpr size_t kTimesMax = 1000;

Result<GuardState> state_from(const Json& json)
{
	GuardState state;
	state.phase = TRY(read_json_name(json, "phase", kPhases, guard_phase_name));
	state.held_by = TRY(read_json_name(json, "held_by", kHeldBy, held_by_name));
	state.reason = json.at("reason").get<std::string>();
	state.ops = json.value("ops", "");  // these two came later
	state.boot_id = json.value("boot_id", "");
	state.wait_until_ns = json.at("wait_until_ns").get<int64_t>();
	state.loaded_at_ns = json.at("loaded_at_ns").get<int64_t>();
	state.faults_ns = json.at("faults_ns").get<std::vector<int64_t>>();
	state.hotplugs_ns = json.at("hotplugs_ns").get<std::vector<int64_t>>();
	state.nr_faults_in_row = json.at("faults_in_row").get<uint64_t>();
	state.random = json.at("random").get<uint64_t>();
	state.nr_loads = json.at("loads").get<uint64_t>();
	state.nr_warnings = json.at("warnings").get<uint64_t>();
	for (ExitClass exit_class : kClasses)
		state.nr_exits[static_cast<size_t>(exit_class)] =
		    json.at("exits").at(exit_class_name(exit_class)).get<uint64_t>();
	if ((state.phase == GuardPhase::held) != (state.held_by != HeldBy::nobody) || state.wait_until_ns < 0 ||
	    state.loaded_at_ns < 0 || state.faults_ns.size() > kTimesMax || state.hotplugs_ns.size() > kTimesMax ||
	    std::ranges::any_of(state.faults_ns, [](auto at) { return at < 0; }) ||
	    std::ranges::any_of(state.hotplugs_ns, [](auto at) { return at < 0; }))
		return fail(ExitCode::failed, "it contradicts itself");
	return state;
}

// Kernel names are letters, digits, _ and . already; a label that is none would spoil the whole file.
std::string label_of(std::string_view ops)
{
	std::string label(ops);
	std::erase_if(label, [](unsigned char c) { return !std::isalnum(c) && c != '_' && c != '.' && c != '-'; });
	return label;
}

void append_head(std::string& text, std::string_view name, std::string_view type, std::string_view help)
{
	text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void append_one(std::string& text, std::string_view name, std::string_view type, std::string_view help, uint64_t value)
{
	append_head(text, name, type, help);
	text += fmt::format("{} {}\n", name, value);
}

}  // namespace

std::string guard_state_to_json(const GuardState& state)
{
	Json exits = Json::object();
	for (ExitClass exit_class : kClasses)
		exits[std::string(exit_class_name(exit_class))] = state.nr_exits[static_cast<size_t>(exit_class)];
	const Json json = {{"schema", kSchema},
			   {"version", kVersion},
			   {"phase", guard_phase_name(state.phase)},
			   {"held_by", held_by_name(state.held_by)},
			   {"reason", state.reason},
			   {"ops", state.ops},
			   {"boot_id", state.boot_id},
			   {"wait_until_ns", state.wait_until_ns},
			   {"loaded_at_ns", state.loaded_at_ns},
			   {"faults_ns", state.faults_ns},
			   {"hotplugs_ns", state.hotplugs_ns},
			   {"faults_in_row", state.nr_faults_in_row},
			   {"random", state.random},
			   {"loads", state.nr_loads},
			   {"warnings", state.nr_warnings},
			   {"exits", exits}};
	return json.dump(1, '\t', false, Json::error_handler_t::replace) + "\n";
}

Result<GuardState> guard_state_from_json(std::string_view text)
{
	return read_json_document(text, kSchema, kVersion, state_from);
}

std::string guard_status_json(const GuardState& state, const GuardConfig& config, const GuardConfigPlace& place,
			      int64_t now_ns)
{
	const bool waits = state.phase == GuardPhase::resting && state.wait_until_ns > now_ns;
	const Json json = {{"phase", guard_phase_name(state.phase)},
			   {"held_by", held_by_name(state.held_by)},
			   {"reason", state.reason},
			   {"scheduler", config.scheduler},
			   {"loads_in_ns", waits ? Json(state.wait_until_ns - now_ns) : Json()},
			   {"loads", state.nr_loads},
			   {"warnings", state.nr_warnings},
			   {"faults", state.faults_ns.size()},
			   {"rules", config.slo},
			   {"config", place.path},
			   {"config_error", place.error}};
	return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string guard_state_metrics(const GuardState& state)
{
	std::string text;
	append_head(text, "punctual_scheduler_exits_total", "counter", "Ends of guarded schedulers by what they mean.");
	for (ExitClass exit_class : kClasses)
		text += fmt::format("punctual_scheduler_exits_total{{reason=\"{}\"}} {}\n", exit_class_name(exit_class),
				    state.nr_exits[static_cast<size_t>(exit_class)]);
	append_one(text, "punctual_guard_loads_total", "counter", "Times that the guard asked for the scheduler.",
		   state.nr_loads);
	append_one(text, "punctual_guard_warnings_total", "counter", "Rules found broken that only warn.",
		   state.nr_warnings);
	append_one(text, "punctual_guard_faults", "gauge", "Faults that the circuit breaker counts now.",
		   state.faults_ns.size());
	append_one(text, "punctual_guard_held", "gauge", "1 while the guard stays on EEVDF until a person says so.",
		   state.phase == GuardPhase::held ? 1 : 0);
	return text;
}

std::string guard_metrics(const GuardState& state, std::string_view ops)
{
	std::string text;
	append_one(text, "punctual_scheduler_enabled", "gauge", "1 while a sched_ext scheduler is loaded.",
		   ops.empty() ? 0 : 1);
	if (!ops.empty()) {
		append_head(text, "punctual_scheduler_info", "gauge", "Which scheduler is loaded.");
		text += fmt::format("punctual_scheduler_info{{ops=\"{}\"}} 1\n", label_of(ops));
	}
	return text + guard_state_metrics(state);
}

}  // namespace punctual
