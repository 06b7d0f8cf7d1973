// SPDX-License-Identifier: GPL-2.0-only
#include "sim/rtapp_events.h"

#include <algorithm>

namespace punctual::sim {
namespace {

constexpr s64 kUsMax = 10'000'000'000;  // of one event: three hours

enum class Kind {
	run,
	sleep,
	timer,
	lock,
	unlock,
	wait,
	signal,
	broad,
	sync,
	barrier,
	suspend,
	resume,
	yield,
	fork,
	none
};

struct Event {
	std::string_view name;
	Kind kind;
};
// rt-app looks at how a key begins: "run", "run0" and "run_light" are one event. Longer names first.
constexpr Event kEvents[] = {{"runtime", Kind::run},   {"run", Kind::run},         {"sleep", Kind::sleep},
			     {"timer", Kind::timer},   {"lock", Kind::lock},       {"unlock", Kind::unlock},
			     {"wait", Kind::wait},     {"signal", Kind::signal},   {"broad", Kind::broad},
			     {"sync", Kind::sync},     {"barrier", Kind::barrier}, {"suspend", Kind::suspend},
			     {"resume", Kind::resume}, {"yield", Kind::yield},     {"fork", Kind::fork},
			     {"mem", Kind::none},      {"iorun", Kind::none}};

const Event* event_of(std::string_view key)
{
	const auto* event = std::ranges::find_if(kEvents, [&](const Event& one) { return key.starts_with(one.name); });
	return event == std::end(kEvents) ? nullptr : event;
}

Result<std::string> text_of(const JsonNode* value, const RtappPlace& place, std::string_view key)
{
	if (!value || value->kind != JsonKind::text)
		return rtapp_error(place, fmt::format("{} needs a name in quotes", key));
	return value->text;
}

}  // namespace

std::unexpected<Error> rtapp_error(const RtappPlace& place, std::string_view what)
{
	return fail(ExitCode::usage, "{}: {}: {}", place.file, place.task, what);
}

Result<u64> rtapp_us(const JsonNode& value, const RtappPlace& place, std::string_view key)
{
	if (value.kind != JsonKind::number || value.number < 0 || value.number > kUsMax)
		return rtapp_error(place, fmt::format("{} needs microseconds, 0 to {}", key, kUsMax));
	return static_cast<u64>(value.number) * kMicrosecond;
}

void RtappEvents::note(const RtappPlace& place, std::string_view what)
{
	noted_.insert(fmt::format("{}: {}", place.task, what));
}

u32 RtappEvents::object(std::string_view kind, const std::string& name)
{
	const auto next = static_cast<u32>(objects_.size());
	return objects_.try_emplace(fmt::format("{} {}", kind, name), next).first->second;
}

bool RtappEvents::is_event(std::string_view key)
{
	return event_of(key) != nullptr;
}

Status RtappEvents::add(std::vector<ScriptStep>& script, std::string_view key, const JsonNode& value,
			const RtappPlace& place)
{
	const Event& event = *event_of(key);
	const auto named = [&](ScriptOp op, std::string_view kind) -> Status {
		const std::string name = TRY(text_of(&value, place, key));
		// An empty one means the task itself, as workgen fills it in.
		script.push_back({op, 0, object(kind, name.empty() ? place.task : name), kNoObject});
		return {};
	};

	switch (event.kind) {
	case Kind::run:
		script.push_back({ScriptOp::run, 0, kNoObject, TRY(rtapp_us(value, place, key))});
		return {};
	case Kind::sleep:
		script.push_back({ScriptOp::sleep, 0, kNoObject, TRY(rtapp_us(value, place, key))});
		return {};
	case Kind::timer:
		return add_timer(script, value, place);
	case Kind::wait:
	case Kind::sync:
		return add_wait(script, value, place, event.kind == Kind::sync);
	case Kind::lock:
		return named(ScriptOp::lock, "mutex");
	case Kind::unlock:
		return named(ScriptOp::unlock, "mutex");
	case Kind::signal:
		return named(ScriptOp::wake, "condition");
	case Kind::broad:
		return named(ScriptOp::wakes, "condition");
	case Kind::suspend:
		return named(ScriptOp::wait, "suspended");
	case Kind::resume:
		return named(ScriptOp::wakes, "suspended");
	case Kind::barrier:
		TRY(named(ScriptOp::meet, "barrier"));
		meeting_[script.back().object]++;
		return {};
	case Kind::fork:
		forks_.push_back({place.task_index, script.size(), TRY(text_of(&value, place, key)), place.file});
		script.push_back({ScriptOp::fork});
		return {};
	case Kind::yield:
		script.push_back({ScriptOp::yield});
		return {};
	default:
		note(place, event.name);
		return {};
	}
}

Status RtappEvents::add_wait(std::vector<ScriptStep>& script, const JsonNode& value, const RtappPlace& place,
			     bool is_sync)
{
	const std::string condition = TRY(text_of(value.member("ref"), place, "\"ref\" of wait or sync"));
	const std::string mutex = TRY(text_of(value.member("mutex"), place, "\"mutex\" of wait or sync"));

	if (is_sync)
		script.push_back({ScriptOp::wake, 0, object("condition", condition)});
	script.push_back({ScriptOp::wait, 0, object("condition", condition), object("mutex", mutex)});
	return {};
}

Status RtappEvents::add_timer(std::vector<ScriptStep>& script, const JsonNode& value, const RtappPlace& place)
{
	const std::string name = TRY(text_of(value.member("ref"), place, "\"ref\" of timer"));
	const JsonNode* period = value.member("period");
	const JsonNode* mode = value.member("mode");
	const bool is_own = name.starts_with("unique");
	const bool is_fixed = mode && mode->text == "absolute";

	if (!period)
		return rtapp_error(place, "timer needs \"period\", in microseconds");
	if (mode && !is_fixed && mode->text != "relative")
		return rtapp_error(place, "\"mode\" of timer is \"relative\" or \"absolute\"");
	const u32 timer = object("timer", is_own ? fmt::format("{} {} {}", name, place.task, place.instance) : name);
	script.push_back({is_fixed ? ScriptOp::timer_fixed : ScriptOp::timer, 0, timer,
			  TRY(rtapp_us(*period, place, "\"period\" of timer"))});
	return {};
}

// ---- the old grammar ----

Status RtappEvents::add_resources(const JsonNode& resources, const std::string& file)
{
	for (const auto& [name, value] : resources.members) {
		const JsonNode* type = value.member("type");
		const JsonNode* target = value.member("target");
		if (!type || type->kind != JsonKind::text)
			return rtapp_error({file, "resources"}, fmt::format("{} needs a \"type\"", name));
		resources_[name] = {type->text, target ? target->text : ""};
	}
	return {};
}

Status RtappEvents::add_old_lock(std::vector<ScriptStep>& script, const std::string& name, const JsonNode& phase,
				 const RtappPlace& place, s64* exec_us)
{
	const auto resource = resources_.find(name);
	const JsonNode* uses = phase.member("resources");
	const JsonNode* use = uses ? uses->member(name) : nullptr;
	const JsonNode* duration = use ? use->member("duration") : nullptr;
	const JsonNode* access = use ? use->member("access") : nullptr;

	if (resource == resources_.end() || !use || !duration)
		return rtapp_error(
		    place, fmt::format("lock_order has \"{}\", and no resources say its type and duration", name));
	const u64 work_ns = TRY(rtapp_us(*duration, place, "duration"));
	const auto& [type, target] = resource->second;
	const u32 condition = object("condition", target.empty() ? name : target);
	const u32 mutex =
	    access && !access->members.empty() ? object("mutex", access->members[0].value.text) : kNoObject;
	*exec_us -= static_cast<s64>(work_ns / kMicrosecond);
	if (type == "mutex" || type == "run") {
		if (type == "mutex")
			script.push_back({ScriptOp::lock, 0, object("mutex", name)});
		script.push_back({ScriptOp::run, 0, kNoObject, work_ns});
		if (type == "mutex")
			script.push_back({ScriptOp::unlock, 0, object("mutex", name)});
		return {};
	}
	const bool waits = type == "wait" || type == "sync";
	if (waits && mutex != kNoObject)
		script.push_back({ScriptOp::lock, 0, mutex});
	if (type == "signal" || type == "sync")
		script.push_back({ScriptOp::wake, 0, condition});
	else if (type == "broadcast")
		script.push_back({ScriptOp::wakes, 0, condition});
	else if (type != "wait")
		note(place, fmt::format("resource {} of type {}", name, type));
	if (waits)
		script.push_back({ScriptOp::wait, 0, condition, mutex});
	if (waits && mutex != kNoObject)
		script.push_back({ScriptOp::unlock, 0, mutex});
	return {};
}

// Each period: the resources in their order, what is left of exec, and sleep until the next one.
Status RtappEvents::add_old(std::vector<ScriptStep>& script, const JsonNode& phase, const RtappPlace& place)
{
	const JsonNode* period = phase.member("period");
	const JsonNode* order = phase.member("lock_order");
	const JsonNode* sleeps = phase.member("sleep");
	const u64 exec_ns = TRY(rtapp_us(*phase.member("exec"), place, "exec"));
	s64 rest_us = static_cast<s64>(exec_ns / kMicrosecond);

	if (order)
		for (const auto& [key, name] : order->members)
			TRY(add_old_lock(script, name.text, phase, place, &rest_us));
	if (rest_us > 0)
		script.push_back({ScriptOp::run, 0, kNoObject, static_cast<u64>(rest_us) * kMicrosecond});
	if (!period)
		return rtapp_error(place, "exec needs \"period\", in microseconds");
	const u64 period_ns = TRY(rtapp_us(*period, place, "period"));
	if (!sleeps || sleeps->kind != JsonKind::boolean || sleeps->number)
		script.push_back({ScriptOp::timer, 0,
				  object("timer", fmt::format("period {} {}", place.task, place.instance)), period_ns});
	if (phase.member("deadline"))
		note(place, "deadline");
	return {};
}

// ---- at the end ----

Status RtappEvents::finish(ScriptLoad& load)
{
	for (TaskSpec& task : load.tasks)
		for (ScriptStep& step : task.script)
			if (step.op == ScriptOp::meet)
				step.value = meeting_[step.object];
	for (const Fork& fork : forks_) {
		const auto row = std::ranges::find(load.rows, fork.name);
		const auto task =
		    std::ranges::find(load.tasks, static_cast<u32>(row - load.rows.begin()), &TaskSpec::row);
		if (row == load.rows.end() || task == load.tasks.end())
			return fail(ExitCode::usage, "{}: fork of \"{}\", and no task has that name", fork.file,
				    fork.name);
		load.tasks[fork.task_index].script[fork.step].object = static_cast<u32>(task - load.tasks.begin());
	}
	load.not_modelled.assign(noted_.begin(), noted_.end());
	return {};
}

}  // namespace punctual::sim
