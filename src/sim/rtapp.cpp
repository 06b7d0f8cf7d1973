// SPDX-License-Identifier: GPL-2.0-only
#include "sim/rtapp.h"

#include <algorithm>

#include "sim/rtapp_events.h"

namespace punctual::sim {
namespace {

constexpr size_t kTasksMax = 4096, kStepsMax = 1'000'000;
constexpr s64 kLoopMax = 1'000'000'000, kSecondsMax = 3600;
constexpr std::string_view kWithoutEffect[] = {"calibration", "logdir",    "log_basename",   "log_size",
					       "ftrace",      "gnuplot",   "frag",           "cumulative_slack",
					       "lock_pages",  "io_device", "mem_buffer_size"};
constexpr std::string_view kAttributes[] = {"instance",  "loop",     "phases",   "priority", "policy",
					    "cpus",      "delay",    "exec",     "period",   "lock_order",
					    "resources", "deadline", "taskgroup"};

bool is_realtime(std::string_view policy)
{
	return policy == "SCHED_FIFO" || policy == "SCHED_RR" || policy == "SCHED_DEADLINE";
}

class Reader {
 public:
	explicit Reader(u32 nr_cpus) : nr_cpus_(nr_cpus) {}

	Result<ScriptLoad> read(std::span<const RtappFile> files)
	{
		std::vector<JsonNode> roots;
		for (const RtappFile& file : files) {
			roots.push_back(TRY(parse_loose_json(file.text, file.name)));
			if (const JsonNode* resources = roots.back().member("resources"))
				TRY(events_.add_resources(*resources, file.name));
			if (const JsonNode* global = roots.back().member("global"))
				TRY(read_global(*global, file.name));
		}
		for (size_t i = 0; i < files.size(); i++) {
			place_.file = files[i].name;
			if (const JsonNode* tasks = roots[i].member("tasks"))
				for (const auto& [name, task] : tasks->members)
					TRY(read_task(name, task));
		}
		if (load_.tasks.empty())
			return fail(ExitCode::usage, "{}: no tasks: rt-app's JSON has an object \"tasks\"",
				    files.empty() ? "rt-app" : files[0].name);
		TRY(events_.finish(load_));
		return std::move(load_);
	}

 private:
	Status read_global(const JsonNode& global, const std::string& file)
	{
		const RtappPlace place{file, "global"};
		for (const auto& [key, value] : global.members) {
			if (key == "default_policy" && default_policy_.empty()) {
				default_policy_ = value.text;
			} else if (key == "duration" && !load_.duration_ns && value.number >= 0) {
				if (value.number > kSecondsMax)
					return rtapp_error(place, "duration is at most 3600, in seconds");
				load_.duration_ns = static_cast<u64>(value.number) * kSecond;
			} else if (key == "pi_enabled") {
				if (value.number)
					events_.note(place, key);
			} else if (key != "duration" && key != "default_policy" &&
				   std::ranges::find(kWithoutEffect, key) == std::end(kWithoutEffect)) {
				events_.note(place, key);
			}
		}
		return {};
	}

	// All but its events.
	Status read_attributes(const JsonNode& task, TaskSpec* spec)
	{
		const std::string policy = TRY(policy_of(task));
		const JsonNode* priority = task.member("priority");
		const JsonNode* delay = task.member("delay");
		const JsonNode* group = task.member("taskgroup");

		spec->program = Program::script;
		spec->row = load_.row_of(place_.task);
		if (is_realtime(policy)) {
			load_.is_urgent[spec->row] = true;
			events_.note(place_, fmt::format("{}, but by --urgent", policy));
		} else if (priority) {
			if (priority->number < kNiceMin || priority->number > kNiceMax)
				return rtapp_error(place_, "priority of SCHED_OTHER is a nice value, -20 to 19");
			spec->weight = weight_of_nice(static_cast<int>(priority->number));
			load_.is_urgent[spec->row] = load_.is_urgent[spec->row] || priority->number < 0;
		}
		if (delay)
			spec->start_ns = TRY(rtapp_us(*delay, place_, "delay"));
		if (group)
			spec->group = group_of(group->text);
		if (const JsonNode* cpus = task.member("cpus"))
			spec->cpus = TRY(cpus_of(*cpus));
		return {};
	}

	Result<std::string> policy_of(const JsonNode& task)
	{
		const JsonNode* given = task.member("policy");
		std::string policy = given ? given->text : default_policy_.empty() ? "SCHED_OTHER" : default_policy_;
		if (!is_realtime(policy) && policy != "SCHED_OTHER")
			events_.note(place_, policy);  // SCHED_IDLE, SCHED_BATCH: as SCHED_OTHER
		return policy;
	}

	Result<std::vector<u32>> cpus_of(const JsonNode& list)
	{
		std::vector<u32> cpus;
		const auto add = [&](const JsonNode& cpu) -> Status {
			if (cpu.kind != JsonKind::number || cpu.number < 0 || cpu.number >= CPUS_MAX)
				return rtapp_error(place_, "cpus is a list of numbers, for example [0, 1]");
			if (cpu.number >= nr_cpus_)
				return rtapp_error(
				    place_, fmt::format("it wants CPU {}, and the machine has {}: give --cpus {} "
							"or more",
							cpu.number, nr_cpus_, cpu.number + 1));
			cpus.push_back(static_cast<u32>(cpu.number));
			return {};
		};
		if (list.kind == JsonKind::number)
			TRY(add(list));
		for (const auto& [key, cpu] : list.members)
			TRY(add(cpu));
		if (cpus.empty())
			return rtapp_error(place_, "cpus is empty");
		std::ranges::sort(cpus);
		cpus.erase(std::ranges::unique(cpus).begin(), cpus.end());
		return cpus;
	}

	// "/a/b": a group in a group; the root is no group of its own.
	u32 group_of(std::string_view path)
	{
		u32 group = kRootGroup;
		std::string name;
		while (!path.empty()) {
			const size_t end = std::min(path.find('/'), path.size());
			const std::string_view part = path.substr(0, end);
			path.remove_prefix(std::min(end + 1, path.size()));
			if (part.empty())
				continue;
			name += fmt::format("/{}", part);
			const auto known = std::ranges::find(group_names_, name);
			if (known == group_names_.end()) {
				load_.groups.push_back({group});
				group = static_cast<u32>(group_names_.size());
				group_names_.push_back(name);
			} else {
				group = static_cast<u32>(known - group_names_.begin());
			}
		}
		return group;
	}

	// For ever: the key says so, or is not there and `if_none` is 0.
	Result<u64> loops_of(const JsonNode& node, u64 if_none) const
	{
		const JsonNode* loop = node.member("loop");
		if (!loop)
			return if_none ? if_none : kForever;
		if (loop->kind != JsonKind::number || loop->number < -1 || loop->number > kLoopMax)
			return rtapp_error(place_, "loop is a number of times, or -1: for ever");
		return loop->number < 0 ? kForever : static_cast<u64>(loop->number);
	}

	Status read_phase(const JsonNode& phase, u64 loops, TaskSpec* spec, bool is_task)
	{
		const u32 first = static_cast<u32>(spec->script.size());
		if (!loops)
			return {};
		if (!is_task && phase.member("cpus"))
			set_cpus(spec, TRY(cpus_of(*phase.member("cpus"))));
		else if (!is_task && has_phase_cpus_)
			set_cpus(spec, spec->cpus.empty() ? all_cpus() : spec->cpus);
		if (phase.member("exec"))
			TRY(events_.add_old(spec->script, phase, place_));
		for (const auto& [key, value] : phase.members) {
			if (std::ranges::find(kAttributes, key) != std::end(kAttributes) ||
			    (key == "sleep" && value.kind == JsonKind::boolean))
				continue;
			if (RtappEvents::is_event(key))
				TRY(events_.add(spec->script, key, value, place_));
			else
				events_.note(place_, key);
		}
		if (!is_task)
			for (const char* key : {"priority", "policy", "taskgroup", "delay"})
				if (phase.member(key))
					events_.note(place_, fmt::format("{} of a phase", key));
		if (loops != 1)
			spec->script.push_back({ScriptOp::again, 0, first, loops});
		return {};
	}

	std::vector<u32> all_cpus() const
	{
		std::vector<u32> cpus(nr_cpus_);
		for (u32 i = 0; i < nr_cpus_; i++)
			cpus[i] = i;
		return cpus;
	}

	static void set_cpus(TaskSpec* spec, std::vector<u32> cpus)
	{
		spec->script.push_back({ScriptOp::set_cpus, 0, static_cast<u32>(spec->masks.size())});
		spec->masks.push_back(std::move(cpus));
	}

	Status read_script(const JsonNode& task, TaskSpec* spec)
	{
		const JsonNode* phases = task.member("phases");
		const u64 loops = TRY(loops_of(task, 0));

		if (!phases)
			return read_phase(task, loops, spec, true);
		has_phase_cpus_ = std::ranges::any_of(
		    phases->members, [](const auto& phase) { return phase.value.member("cpus") != nullptr; });
		for (const auto& [name, phase] : phases->members)
			TRY(read_phase(phase, TRY(loops_of(phase, 1)), spec, false));
		for (const auto& [key, value] : task.members)
			if (std::ranges::find(kAttributes, key) == std::end(kAttributes))
				events_.note(place_, fmt::format("{} beside phases", key));
		if (loops == 0)
			spec->script.clear();
		else if (loops != 1)
			spec->script.push_back({ScriptOp::again, 1, 0, loops});
		return {};
	}

	Status read_task(const std::string& name, const JsonNode& task)
	{
		const JsonNode* instances = task.member("instance");
		const s64 number = instances ? instances->number : 1;
		place_.task = name;
		if (task.kind != JsonKind::object)
			return rtapp_error(place_, "a task is an object with its events");
		if (number < 0 || load_.tasks.size() + static_cast<size_t>(std::max<s64>(number, 1)) > kTasksMax)
			return rtapp_error(
			    place_, fmt::format("instance is 0 or more, and all tasks are at most {}", kTasksMax));
		for (s64 i = 0; i < std::max<s64>(number, 1); i++) {  // 0: there to be forked
			TaskSpec spec;
			place_.instance = static_cast<u32>(i);
			place_.task_index = static_cast<u32>(load_.tasks.size());
			TRY(read_attributes(task, &spec));
			TRY(read_script(task, &spec));
			spec.is_forked = number == 0;
			nr_steps_ += spec.script.size();
			load_.tasks.push_back(std::move(spec));
			if (nr_steps_ > kStepsMax)
				return rtapp_error(place_, fmt::format("more than {} events in all", kStepsMax));
		}
		return {};
	}

	const u32 nr_cpus_;
	ScriptLoad load_;
	RtappEvents events_;
	RtappPlace place_;
	std::string default_policy_;
	std::vector<std::string> group_names_;
	size_t nr_steps_ = 0;
	bool has_phase_cpus_ = false;
};

}  // namespace

Result<ScriptLoad> parse_rtapp(std::span<const RtappFile> files, u32 nr_cpus)
{
	return Reader(nr_cpus).read(files);
}

}  // namespace punctual::sim
