// SPDX-License-Identifier: GPL-2.0-only
// Runs one sched_ext scheduler from load to exit, a built-in one and a foreign object alike.
// Destroying it detaches: the kernel falls back to its own scheduler, so a crash here is
// always safe. Hides libbpf, kernel differences and the exit record. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/sched.h"
#include "base/budget.h"
#include "base/cpu_list.h"
#include "base/result.h"
#include "object/budget_table.h"
#include "object/decision_ring.h"

namespace punctual {

struct SchedulerOptions {
	CpuList cpus;  // where the policy applies; empty: everywhere
	std::vector<Budget> budgets;
	std::vector<std::string> set;  // "NAME=VALUE" for any tunable of the object
	uint32_t timeout_ms = 0;       // watchdog; 0: the object's own
	bool record_decisions = false;
	bool only_named = false;  // partial mode: serves only threads of policy SCHED_EXT
};

// Why a scheduler ended. kind and code as the kernel defines them (enum scx_exit_kind).
struct ExitReport {
	int64_t kind = 0;
	int64_t code = 0;
	std::string reason;     // "unregistered from user space", ...
	std::string message;    // details of an error, may be empty
	std::string dump_file;  // where the kernel's dump was kept, may be empty

	bool is_fault() const { return kind >= 1024; }
	bool wants_restart() const { return (code >> 48) & 1; }  // SCX_ECODE_ACT_RESTART
};

class Scheduler {
 public:
	// SCHED: "scx_latency", "scx_simple", or the path of an object. Returns only when the kernel
	// says "enabled": a successful attach call alone proves nothing. Errors: usage (unknown
	// scheduler, not a BPF object, bad tunable), lacking (no sched_ext, no privilege), ejected.
	static Result<Scheduler> attach(std::string_view sched, const SchedulerOptions& options);
	Scheduler(Scheduler&&) noexcept;
	Scheduler& operator=(Scheduler&&) = delete;
	~Scheduler();

	const std::string& name() const;                // ops.name, as in /sys/kernel/sched_ext/root/ops
	const std::vector<std::string>& notes() const;  // what was left out for this kernel, a line each
	uint32_t program_id() const;                    // of the ops.enqueue program, or any other of its programs

	// Its budgets; they may be changed by others at any time. nullptr: it has none. Good after detach() too.
	BudgetTable* budgets();

	// The waits of its classes until now; empty for schedulers without classes.
	std::vector<class_stats> classes() const;

	// Its recorded decisions, to be drained ten times a second. nullptr: not asked for. Good after detach() too.
	DecisionRing* decisions();

	// Has the kernel ended it? Cheap enough to poll ten times a second.
	bool is_enabled() const;

	// Detaches if still attached and says why it ended.
	ExitReport detach();

 private:
	struct State;
	explicit Scheduler(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

}  // namespace punctual
