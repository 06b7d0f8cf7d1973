// SPDX-License-Identifier: GPL-2.0-only
// The decisions of `punctual guard`, without a kernel: a state, what happened, when, and what is to be done next. The
// command (src/cli/guard.cpp) acts and reports back.
//
// Promises, each a test: after the third fault in ten minutes nothing is loaded until a person says so; what the
// operator's own hands did (unload, sysrq) is not undone; a CPU that comes or goes is no fault; a scheduler that
// somebody else loaded is left alone; however faults, clocks and restarts of the guard fall, loads stay few; a machine
// that goes down with the scheduler loaded is a fault, so a loop of reboots opens the breaker too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guard/exit_class.h"

namespace punctual {

inline constexpr int64_t kSecondNs = 1'000'000'000;

struct GuardLimits {
	size_t faults_max = 3;  // in fault_window_ns: the breaker opens
	int64_t fault_window_ns = 600 * kSecondNs;
	int64_t healthy_ns = 600 * kSecondNs;  // a scheduler that lived so long has paid for earlier faults
	int64_t back_off_first_ns = kSecondNs;
	int64_t back_off_max_ns = 60 * kSecondNs;  // before jitter
	double jitter_max = 0.25;                  // of the back-off, added: guards of many machines fall apart
	size_t hotplugs_max = 100;                 // in fault_window_ns; one more is a fault of its own
};

enum class GuardPhase {
	resting,    // on EEVDF until wait_until_ns
	loading,    // asked to, also anew for a changed configuration
	running,    // loaded
	unloading,  // asked to, by a rule
	held,       // on EEVDF until a person says so
	ended,
};
std::string_view guard_phase_name(GuardPhase phase);

enum class HeldBy { nobody, breaker, person, foreign };
std::string_view held_by_name(HeldBy held_by);

// Times are CLOCK_REALTIME: they outlive a restart of the guard and of the machine. A clock that was set back never
// makes a wait longer than the longest back-off; one that was set forward by ten minutes forgives what was before.
struct GuardState {
	GuardPhase phase = GuardPhase::resting;
	HeldBy held_by = HeldBy::nobody;
	std::string reason = {};   // why it rests or is held, in words
	std::string ops = {};      // the kernel's name of what is loaded
	std::string boot_id = {};  // of the kernel that this was last written under
	int64_t wait_until_ns = 0;
	int64_t loaded_at_ns = 0;
	std::vector<int64_t> faults_ns = {};  // oldest first, at most faults_max
	std::vector<int64_t> hotplugs_ns = {};
	uint64_t nr_faults_in_row = 0;  // sets the back-off
	uint64_t random = 1;            // of the jitter
	uint64_t nr_loads = 0;          // since the state began, as are the next two
	uint64_t nr_exits[8] = {};      // by ExitClass
	uint64_t nr_warnings = 0;       // of rules

	bool operator==(const GuardState&) const = default;
};

enum class GuardEventKind {
	started,  // a new process, with a state that may be of an earlier one: `words` has the boot id
	loaded,   // `words` has the kernel's name of it
	exited,   // or was refused: `exit_class`, `words`
	foreign,  // another scheduler is loaded: `words` has its name
	warned,   // a rule that only warns was broken: `words`
	broken,   // a rule that falls back: `words`
	mended,   // a rule is kept again: `words`
	woke,     // wait_until_ns has come, or any other moment
	reset,    // a person says: go on
	unload,   // a person says: back to EEVDF
	reload,   // a person changed what can be changed only by loading anew
	stop,
};
struct GuardEvent {
	GuardEventKind kind = GuardEventKind::woke;
	ExitClass exit_class = ExitClass::error;  // of exited
	std::string words = {};
};

enum class AlertLevel { info, warning, critical };
struct GuardAlert {
	AlertLevel level = AlertLevel::info;
	std::string words = {};
	bool fell_back = false;  // the machine is on EEVDF, and the operator did not ask for it: the hook is to run
};

enum class GuardActionKind {
	load,    // then loaded, exited (refused), or foreign
	unload,  // then exited
	reload,  // unload and load; then as for load
	wait,    // until state.wait_until_ns, or until an event
	stay,    // as it is, until an event: loaded, or on EEVDF
	end,     // unload if loaded, and leave
};
struct GuardStep {
	GuardActionKind action = GuardActionKind::stay;
	std::vector<GuardAlert> alerts = {};
};

// Changes the state to what follows from the event at `now_ns`.
GuardStep next(const GuardLimits& limits, GuardState* state, const GuardEvent& event, int64_t now_ns);

// What an end is told as: one that we brought about for a rule looks to the kernel as if somebody had asked for it.
ExitClass exit_told(const GuardState& state, ExitClass exit_class);

// What a person's reset forgives: of a guard that runs (the event), and of the state that one left.
void forgive(GuardState* state);

// The wait after that many faults in a row, with jitter; takes a number from *random. At most
// back_off_max_ns * (1 + jitter_max).
int64_t back_off_ns(const GuardLimits& limits, uint64_t nr_faults_in_row, uint64_t* random);

}  // namespace punctual
