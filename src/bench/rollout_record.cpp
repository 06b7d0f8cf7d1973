// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rollout_record.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/json_document.h"
#include "bench/rollout_run_json.h"
#include "bench/side_counts_json.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "punctual.rollout_state";
constexpr int kVersion = 1;
constexpr const char* kCounters = "counters";
constexpr std::array kPhases = {RolloutPhase::recovering, RolloutPhase::measuring, RolloutPhase::keeping,
				RolloutPhase::leaving, RolloutPhase::ended};

RolloutRun run_from(const Json& json)
{
	RolloutRun run;
	for (const RolloutMember& member : kRolloutMembers)
		run.*member.value = json.at(member.key).get<uint64_t>();
	if (json.contains(kCounters))
		run.counts = side_counts_from(json.at(kCounters));
	return run;
}

Json results_json(const RolloutState& state)
{
	Json steps = Json::array();
	for (const std::vector<RolloutPair>& pairs : state.results) {
		Json step = Json::array();
		for (const RolloutPair& pair : pairs)
			step.push_back(
			    {{"eevdf", rollout_run_json(pair.eevdf)}, {"scheduler", rollout_run_json(pair.scheduler)}});
		steps.push_back(std::move(step));
	}
	return steps;
}

Result<RolloutState> state_from(const Json& json)
{
	RolloutState state;
	state.phase = TRY(read_json_name(json, "phase", kPhases, phase_name));
	state.step = json.at("step").get<uint64_t>();
	state.run = json.at("run").get<uint64_t>();
	state.code = static_cast<ExitCode>(json.at("code").get<int>());
	state.reason = json.at("reason").get<std::string>();
	for (const Json& step : json.at("results")) {
		std::vector<RolloutPair>& pairs = state.results.emplace_back();
		for (const Json& pair : step)
			pairs.push_back({run_from(pair.at("eevdf")), run_from(pair.at("scheduler"))});
	}
	const bool fits = state.step <= kRolloutStepsMax && state.run <= 2 * kRolloutPairsMax &&
			  state.results.size() >= std::min<uint64_t>(state.step, kRolloutStepsMax) &&
			  state.results.size() <= state.step + 1;
	const uint64_t nr_last = state.results.size() == state.step + 1 ? state.results.back().size() : 0;
	if (!fits || nr_last != (state.run + 1) / 2)
		return fail(ExitCode::failed, "it contradicts itself: step {}, run {}, results of {} steps", state.step,
			    state.run, state.results.size());
	return state;
}

Result<RolloutRecord> record_from(const Json& json)
{
	RolloutRecord record;
	record.arguments = json.at("arguments").get<std::vector<std::string>>();
	record.kernel = json.at("kernel").get<std::string>();
	record.pid = json.at("pid").get<pid_t>();
	record.has_cgroups = json.at("has_cgroups").get<bool>();
	record.was_cpu_controlled = json.at("was_cpu_controlled").get<bool>();
	record.state = TRY(state_from(json.at("state")));
	return record;
}

}  // namespace

Json rollout_run_json(const RolloutRun& run)
{
	Json json = Json::object();
	for (const RolloutMember& member : kRolloutMembers)
		json[member.key] = run.*member.value;
	if (run.counts)
		json[kCounters] = side_counts_json(*run.counts, run.nr);
	return json;
}

std::string record_to_json(const RolloutRecord& record)
{
	const Json state = {{"phase", phase_name(record.state.phase)},
			    {"step", record.state.step},
			    {"run", record.state.run},
			    {"code", static_cast<int>(record.state.code)},
			    {"reason", record.state.reason},
			    {"results", results_json(record.state)}};
	const Json json = {{"schema", kSchema},
			   {"version", kVersion},
			   {"arguments", record.arguments},
			   {"kernel", record.kernel},
			   {"pid", record.pid},
			   {"has_cgroups", record.has_cgroups},
			   {"was_cpu_controlled", record.was_cpu_controlled},
			   {"state", state}};
	return json.dump(1, '\t', false, Json::error_handler_t::replace) + "\n";
}

Result<RolloutRecord> record_from_json(std::string_view text)
{
	return read_json_document(text, kSchema, kVersion, record_from);
}

}  // namespace punctual
