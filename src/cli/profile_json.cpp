// SPDX-License-Identifier: GPL-2.0-only
#include "cli/profile_json.h"

#include <nlohmann/json.hpp>

#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kFunctionsMax = 100;

Json callbacks_json(const Profile& profile)
{
	Json rows = Json::array();
	for (const CallbackCost& row : profile.callbacks)
		rows.push_back({{"id", row.id},
				{"program", clean_text(row.name)},
				{"callback", row.callback.empty() ? Json() : Json(row.callback)},
				{"runs", row.nr_runs},
				{"run_ns", row.run_ns},
				{"calibration_ns", row.calibration_ns}});
	return rows;
}

Json cost_json(const Profile& profile)
{
	u64 statistics_ns = 0;
	for (const CallbackCost& row : profile.callbacks)
		statistics_ns += row.nr_runs * row.calibration_ns;
	return {{"statistics_ns", statistics_ns}};
}

}  // namespace

std::string profile_json(const Profile& profile)
{
	Json json = {{"schema", "punctual.profile"},
		     {"version", 1},
		     {"scheduler", profile.scheduler.empty() ? Json() : Json(clean_text(profile.scheduler))},
		     {"kernel", profile.kernel},
		     {"begin_ns", profile.begin_ns},
		     {"elapsed_ns", profile.elapsed_ns},
		     {"cpus", profile.nr_cpus},
		     {"interrupted", profile.interrupted},
		     {"scheduler_changed", profile.changed}};
	json["callbacks"] = callbacks_json(profile);
	json["callbacks_runs"] = callbacks_runs(profile);
	json["callbacks_ns"] = callbacks_ns(profile);
	json["event"] = profile.by_cycles ? "cycles" : "cpu-clock";
	json["weight_unit"] = profile.by_cycles ? "cycles" : "ns";
	json["sees_code_with_interrupts_off"] = profile.by_cycles;
	json["frequency_hz"] = profile.frequency_hz;
	json["samples"] = profile.nr_samples;
	json["lost"] = profile.nr_lost;
	json["throttled"] = profile.nr_throttled;
	json["unnamed_frames"] = profile.nr_unnamed;
	for (const NamedWeight& row : named_weights(profile.weights))
		json["weights"][row.key] = row.weight;
	json["weights"]["bpf_timers"] = profile.weights.bpf_timers;
	json["weights"]["all"] = profile.weights.all();
	json["functions"] = Json::array();
	for (const HotFunction& function : hot_functions(profile.stacks, kFunctionsMax))
		json["functions"].push_back({{"name", clean_text(function.name)}, {"self", function.self}});
	json["cost"] = cost_json(profile);
	return json.dump();
}

}  // namespace punctual
