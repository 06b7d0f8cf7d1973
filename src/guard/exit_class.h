// SPDX-License-Identifier: GPL-2.0-only
// What the end of a scheduler means, by the kernel's exit record, else by the words of its log; and its cause in words.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace punctual {

enum class ExitClass {
	asked_for,  // somebody unloaded it
	hotplug,    // a CPU came or went: to be loaded again for the changed machine
	error,      // the scheduler did something wrong, or a lockup was laid on it
	stall,      // a task that wanted to run was left to wait
	sysrq,      // a person at the console
	kernel,     // the kernel, or the scheduler itself, ended it for a reason of its own
	refused,    // it never ran: the kernel did not take it
	slo,        // a rule of the operator was broken
};
std::string_view exit_class_name(ExitClass exit_class);

// Does it count for the circuit breaker?
bool is_fault(ExitClass exit_class);

struct SchedulerExit {
	int64_t kind = 0;         // enum scx_exit_kind; 0: the object has no record
	int64_t code = 0;         // bit 48: load me again
	std::string reason = {};  // of the record, else of the kernel's log
	std::string message = {};
	std::string dump = {};  // the kernel's dump, may be empty
};

ExitClass classify_exit(const SchedulerExit& exit);

// One line: "a task waited 5.052 s for a CPU: s (pid 143); CPU 3 was held by hog (pid 120), a real-time task".
// The names in it are those that tasks gave themselves: clean it before it is shown.
std::string exit_cause(const SchedulerExit& exit);

}  // namespace punctual
