// SPDX-License-Identifier: GPL-2.0-only
// The events of a phase of rt-app as steps of a script: part of rtapp.h.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sim/loose_json.h"
#include "sim/script_load.h"

namespace punctual::sim {

// Whose events they are.
struct RtappPlace {
	std::string file;
	std::string task;
	u32 instance = 0;
	u32 task_index = 0;  // in ScriptLoad::tasks
};

class RtappEvents {
 public:
	// Of old grammar: "type" and "target" of the object "resources".
	Status add_resources(const JsonNode& resources, const std::string& file);
	// One event, by its key; keys that are no events are refused by `is_event`.
	static bool is_event(std::string_view key);
	Status add(std::vector<ScriptStep>& script, std::string_view key, const JsonNode& value,
		   const RtappPlace& place);
	// exec, period, lock_order and resources of the old grammar.
	Status add_old(std::vector<ScriptStep>& script, const JsonNode& phase, const RtappPlace& place);
	void note(const RtappPlace& place, std::string_view what);  // that is not modelled, once for each task
	// When all tasks are read: how many meet at a barrier, and which task a fork starts.
	Status finish(ScriptLoad& load);

 private:
	struct Resource {
		std::string type, target;
	};
	struct Fork {
		u32 task_index;
		size_t step;
		std::string name;
		std::string file;
	};

	u32 object(std::string_view kind, const std::string& name);
	Status add_wait(std::vector<ScriptStep>& script, const JsonNode& value, const RtappPlace& place, bool is_sync);
	Status add_timer(std::vector<ScriptStep>& script, const JsonNode& value, const RtappPlace& place);
	Status add_old_lock(std::vector<ScriptStep>& script, const std::string& name, const JsonNode& phase,
			    const RtappPlace& place, s64* exec_us);

	std::map<std::string, u32> objects_;
	std::map<u32, u64> meeting_;  // at a barrier
	std::map<std::string, Resource> resources_;
	std::vector<Fork> forks_;
	std::set<std::string> noted_;
};

// Errors (usage) name the place.
std::unexpected<Error> rtapp_error(const RtappPlace& place, std::string_view what);
Result<u64> rtapp_us(const JsonNode& value, const RtappPlace& place, std::string_view key);  // in ns

}  // namespace punctual::sim
