// SPDX-License-Identifier: GPL-2.0-only
#include "sim/perf_trace.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace punctual::sim {
namespace {

constexpr size_t kTextMax = 256UL << 20, kTasksMax = 65536;
constexpr u32 kIdle = 0;                               // the pid of all idle tasks
constexpr u32 kUserPrioMin = 100, kUserPrioMax = 139;  // below: real-time
constexpr u32 kNiceZeroPrio = 120;

// ---- a line ----

// "            perf  4374 [000] 19278.170614:  sched:sched_switch: prev_comm=perf ..."
struct Line {
	u64 at_ns;
	u32 cpu;
	u32 pid;
	std::string_view event;  // "sched_switch"
	std::string_view rest;
};

std::string_view trimmed(std::string_view text)
{
	const size_t first = text.find_first_not_of(" \t");
	if (first == std::string_view::npos)
		return {};
	return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

template <typename Number>
std::optional<Number> number_of(std::string_view text)
{
	Number number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (error != std::errc() || end != text.data() + text.size() || text.empty())
		return {};
	return number;
}

// "19278.170614", or nine digits after the point.
std::optional<u64> time_of(std::string_view text)
{
	const size_t point = text.find('.');
	if (point == std::string_view::npos)
		return {};
	const std::string_view digits = text.substr(point + 1);
	const auto seconds = number_of<u32>(text.substr(0, point));
	const auto part = number_of<u32>(digits);
	if (!seconds || !part || (digits.size() != 6 && digits.size() != 9))
		return {};
	return *seconds * kSecond + *part * (digits.size() == 6 ? kMicrosecond : 1);
}

// A command may have blanks, brackets and colons in it: the CPU is the last "[...]" before the event.
std::optional<Line> read_line(std::string_view text)
{
	for (std::string_view event : {"sched_switch", "sched_waking", "sched_wakeup", "sched_wakeup_new"}) {
		const std::string mark = fmt::format("{}: ", event);
		const size_t at = text.find(mark);
		if (at == std::string_view::npos || (at && text[at - 1] != ':' && text[at - 1] != ' '))
			continue;
		const std::string_view head = text.substr(0, at);
		const size_t open = head.rfind('['), close = head.rfind(']');
		if (open == std::string_view::npos || close == std::string_view::npos || close < open)
			return {};
		const std::string_view who = trimmed(head.substr(0, open));
		const std::string_view when = trimmed(head.substr(close + 1));
		const std::string_view pids =
		    who.substr(std::min(who.size(), who.rfind(' ') + 1));  // "4374", "4370/4374"
		const auto at_ns = time_of(when.substr(0, when.find(':')));
		const auto cpu = number_of<u32>(head.substr(open + 1, close - open - 1));
		const std::string_view last = pids.substr(std::min(pids.size(), pids.rfind('/') + 1));
		const auto pid =
		    last == "-1" ? std::optional(kIdle) : number_of<u32>(last);  // -1: perf does not know who
		if (!at_ns || !cpu || *cpu >= CPUS_MAX || !pid)
			return {};
		return Line{*at_ns, *cpu, *pid, event, text.substr(at + mark.size())};
	}
	return Line{0, 0, 0, "", ""};
}

// "prev_comm=a b prev_pid=4374 ...": the value of one key, up to the next blank; of a command up to the next key.
std::string_view value_of(std::string_view rest, std::string_view key, std::string_view next_key = " ")
{
	const size_t at = rest.find(key);
	if (at == std::string_view::npos)
		return {};
	const std::string_view value = rest.substr(at + key.size());
	return value.substr(0, value.find(next_key));
}

// ---- tasks ----

struct TraceTask {
	u32 index = 0;  // in ScriptLoad::tasks
	u64 since_ns = 0;
	u64 run_ns = 0;  // since its last step
	u32 cpu = 0;     // where it runs
	bool runs = false;
	bool sleeps = false;
	std::optional<u64> woken_ns;  // by nobody of the trace
	bool was_woken = false;
	u64 slept_ns = 0;  // when it was last seen to run
};

class Reader {
 public:
	explicit Reader(std::string_view file) : file_(file) {}

	Result<PerfTrace> read(std::string_view text)
	{
		u64 number = 0;
		while (!text.empty()) {
			const size_t end = std::min(text.find('\n'), text.size());
			const std::optional<Line> line = read_line(text.substr(0, end));
			text.remove_prefix(std::min(end + 1, text.size()));
			number++;
			if (!line)
				return fail(ExitCode::usage, "{}:{}: no line of `perf sched script`", file_, number);
			if (!line->event.empty())
				TRY(take(*line, number));
		}
		if (!trace_.nr_events)
			return fail(
			    ExitCode::usage,
			    "{}: no event of the scheduler in it; `perf sched record` and then `perf sched script` "
			    "give some",
			    file_);
		finish();
		return std::move(trace_);
	}

 private:
	Status take(const Line& line, u64 number)
	{
		if (!trace_.nr_events++)
			first_ns_ = last_ns_ = line.at_ns;
		if (line.at_ns < last_ns_)
			return fail(ExitCode::usage, "{}:{}: its time is before that of the line above: sort by time",
				    file_, number);
		last_ns_ = line.at_ns;
		trace_.nr_cpus = std::max(trace_.nr_cpus, line.cpu + 1);
		if (tasks_.size() > kTasksMax)
			return fail(ExitCode::usage, "{}:{}: more than {} tasks", file_, number, kTasksMax);
		const bool is_whole = line.event == "sched_switch" ? take_switch(line) : take_wakeup(line);
		if (!is_whole)
			return fail(ExitCode::usage, "{}:{}: a {} without what it is to have", file_, number,
				    line.event);
		return {};
	}

	u64 now_ns(const Line& line) const { return line.at_ns - first_ns_; }

	TraceTask& task_of(u32 pid, std::string_view comm, std::optional<u32> prio)
	{
		const auto [found, is_new] = tasks_.try_emplace(pid);
		ScriptLoad& load = trace_.load;
		if (is_new) {
			TaskSpec spec;
			spec.program = Program::script;
			spec.row = load.row_of(std::string(comm));
			found->second.index = static_cast<u32>(load.tasks.size());
			load.tasks.push_back(std::move(spec));
		}
		TaskSpec& spec = load.tasks[found->second.index];
		if (prio && *prio < kUserPrioMin)
			load.is_urgent[spec.row] = true;
		else if (prio && *prio <= kUserPrioMax)
			spec.weight = weight_of_nice(static_cast<int>(*prio) - static_cast<int>(kNiceZeroPrio));
		return found->second;
	}

	std::vector<ScriptStep>& script(const TraceTask& task) { return trace_.load.tasks[task.index].script; }

	// What it ran until now becomes a step.
	void settle(TraceTask& task, u64 now)
	{
		if (!task.runs)
			return;
		task.run_ns += now - task.since_ns;
		task.since_ns = now;
		if (!task.run_ns)
			return;
		script(task).push_back({ScriptOp::run, 0, kNoObject, task.run_ns});
		trace_.load.demand_ns += task.run_ns;
		task.run_ns = 0;
	}

	bool take_switch(const Line& line)
	{
		const std::string_view prev_comm = value_of(line.rest, "prev_comm=", " prev_pid=");
		const std::string_view next_comm = value_of(line.rest, "next_comm=", " next_pid=");
		const std::string_view state = value_of(line.rest, "prev_state=");
		const auto prev = number_of<u32>(value_of(line.rest, "prev_pid="));
		const auto next = number_of<u32>(value_of(line.rest, "next_pid="));
		const auto prev_prio = number_of<u32>(value_of(line.rest, "prev_prio="));
		const auto next_prio = number_of<u32>(value_of(line.rest, "next_prio="));
		const u64 now = now_ns(line);

		if (!prev || !next || state.empty())
			return false;
		const auto known = runs_.find(line.cpu);
		if (known != runs_.end() && known->second != *prev)
			lose(known->second, line.cpu, now);
		if (*prev != kIdle) {
			TraceTask& task = task_of(*prev, prev_comm, prev_prio);
			if (!task.runs)  // it ran when the recording began, or its switch is missing
				begin(task, line.cpu, known == runs_.end() ? 0 : now);
			settle(task, now);
			task.runs = false;
			task.sleeps = !state.starts_with('R');
			task.was_woken = false;
			task.woken_ns.reset();
		}
		runs_[line.cpu] = *next;
		if (*next != kIdle)
			begin(task_of(*next, next_comm, next_prio), line.cpu, now);
		return true;
	}

	// A switch is missing, so somebody else ran here, too, and nobody knows from when on. The CPU was busy: all of
	// it counts for the task that was seen to begin, unless that was seen elsewhere meanwhile.
	void lose(u32 pid, u32 cpu, u64 now)
	{
		const auto task = tasks_.find(pid);
		trace_.nr_inconsistent++;
		if (task == tasks_.end() || task->second.cpu != cpu)
			return;
		settle(task->second, now);
		task->second.runs = false;
	}

	// It gets a CPU. If it slept before, what woke it comes first in its script.
	void begin(TraceTask& task, u32 cpu, u64 now)
	{
		const bool is_first = script(task).empty();
		if (task.woken_ns) {
			script(task).push_back({ScriptOp::sleep_until, 0, kNoObject, *task.woken_ns});
			trace_.nr_outside++;
		} else if (task.was_woken) {
			script(task).push_back({ScriptOp::take, 0, task.index});
		} else if (task.sleeps) {
			script(task).push_back({ScriptOp::sleep_until, 0, kNoObject, now});
			trace_.nr_not_seen++;
		} else if (is_first && now) {  // it waited for a CPU already, or nobody saw it wake
			script(task).push_back({ScriptOp::sleep_until, 0, kNoObject, 0});
		}
		task.woken_ns.reset();
		task.was_woken = task.sleeps = false;
		task.runs = true;
		task.cpu = cpu;
		task.since_ns = now;
	}

	bool take_wakeup(const Line& line)
	{
		const auto pid = number_of<u32>(value_of(line.rest, " pid="));
		const auto prio = number_of<u32>(value_of(line.rest, " prio="));
		const std::string_view comm = value_of(line.rest, "comm=", " pid=");

		if (!pid)
			return false;
		if (*pid == kIdle)
			return true;
		TraceTask& task = task_of(*pid, comm, prio);
		const bool is_new = script(task).empty() && !task.runs;
		// Of waking and wakeup the first counts; and who does not sleep is not woken.
		if (task.was_woken || task.woken_ns || (!task.sleeps && !is_new))
			return true;
		const auto waker = tasks_.find(line.pid);
		const bool is_known =
		    line.pid != kIdle && line.pid != *pid && waker != tasks_.end() && waker->second.runs;
		if (!is_known) {
			task.woken_ns = now_ns(line);
			return true;
		}
		settle(waker->second, now_ns(line));
		script(waker->second).push_back({ScriptOp::post, 0, task.index});
		task.was_woken = true;
		trace_.nr_edges++;
		return true;
	}

	void finish()
	{
		for (auto& [pid, task] : tasks_) {
			settle(task, last_ns_ - first_ns_);
			if (task.woken_ns ||
			    task.was_woken)  // it was still waiting for its CPU: it needs none any more
				task.sleeps = false;
		}
		trace_.length_ns = last_ns_ - first_ns_;
	}

	const std::string_view file_;
	PerfTrace trace_;
	std::map<u32, TraceTask> tasks_;  // by pid
	std::map<u32, u32> runs_;         // pid by CPU
	u64 first_ns_ = 0;
	u64 last_ns_ = 0;
};

}  // namespace

Result<PerfTrace> parse_perf_trace(std::string_view text, std::string_view file)
{
	if (text.size() > kTextMax)
		return fail(ExitCode::usage, "{}: more than {} bytes: cut it", file, kTextMax);
	return Reader(file).read(text);
}

}  // namespace punctual::sim
