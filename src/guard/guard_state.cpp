// SPDX-License-Identifier: GPL-2.0-only
#include "guard/guard_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace punctual {
namespace {

// splitmix64 (Steele, Lea and Flood 2014): any generator does for jitter, and this one takes every seed.
double next_fraction(uint64_t* random)
{
	*random += 0x9e3779b97f4a7c15;
	uint64_t mixed = *random;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
	mixed ^= mixed >> 31;
	return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

double seconds(int64_t ns)
{
	return static_cast<double>(ns) / static_cast<double>(kSecondNs);
}

// Leaves those of the last window. A time that is still to come was written before the clock was set back.
void forget_old(std::vector<int64_t>* times, int64_t window_ns, int64_t now_ns)
{
	for (int64_t& at : *times)
		at = std::min(at, now_ns);
	std::erase_if(*times, [&](int64_t at) { return now_ns - at >= window_ns; });
}

GuardStep load(GuardState* state)
{
	state->phase = GuardPhase::loading;
	state->nr_loads++;
	return {.action = GuardActionKind::load};
}

GuardStep hold(GuardState* state, HeldBy by, std::string reason)
{
	state->phase = GuardPhase::held;
	state->held_by = by;
	state->reason = std::move(reason);
	const bool asked_for = by == HeldBy::person;
	const GuardAlert alert{
	    .level = asked_for ? AlertLevel::warning : AlertLevel::critical,
	    .words = fmt::format("{}; staying on EEVDF until `punctual guard --reset`", state->reason),
	    .fell_back = true};
	// Whose scheduler runs is not for us to say.
	if (by == HeldBy::foreign)
		return {.alerts = {{alert.level, fmt::format("{}; not fighting it: unload it and say "
							     "`punctual guard --reset`",
							     state->reason)}}};
	return {.alerts = {alert}};
}

GuardStep rest(GuardState* state, const std::string& reason, int64_t until_ns, int64_t now_ns)
{
	state->phase = GuardPhase::resting;
	state->reason = reason;
	state->wait_until_ns = until_ns;
	return {.action = GuardActionKind::wait,
		.alerts = {{.level = AlertLevel::warning,
			    .words = fmt::format("{}; on EEVDF, loading again in {:.1f} s", reason,
						 seconds(until_ns - now_ns)),
			    .fell_back = true}}};
}

GuardStep fault(const GuardLimits& limits, GuardState* state, const std::string& words, int64_t now_ns)
{
	if (state->loaded_at_ns != 0 && now_ns - state->loaded_at_ns >= limits.healthy_ns) {
		state->faults_ns.clear();
		state->nr_faults_in_row = 0;
	}
	forget_old(&state->faults_ns, limits.fault_window_ns, now_ns);
	state->faults_ns.push_back(now_ns);
	state->nr_faults_in_row++;
	state->loaded_at_ns = 0;
	state->ops.clear();
	if (state->faults_ns.size() >= limits.faults_max)
		return hold(state, HeldBy::breaker,
			    fmt::format("{} (fault {} in {:.0f} minutes)", words, state->faults_ns.size(),
					seconds(limits.fault_window_ns) / 60));
	const int64_t wait_ns = back_off_ns(limits, state->nr_faults_in_row, &state->random);
	return rest(state, fmt::format("{} (fault {} of {})", words, state->faults_ns.size(), limits.faults_max),
		    now_ns + wait_ns, now_ns);
}

GuardStep hotplug(const GuardLimits& limits, GuardState* state, const std::string& words, int64_t now_ns)
{
	forget_old(&state->hotplugs_ns, limits.fault_window_ns, now_ns);
	if (state->hotplugs_ns.size() >= limits.hotplugs_max) {
		state->hotplugs_ns.clear();
		return fault(limits, state, words + ", far too often", now_ns);
	}
	state->hotplugs_ns.push_back(now_ns);
	GuardStep step = load(state);
	step.alerts.push_back({AlertLevel::info, words + "; loading again at once"});
	return step;
}

GuardStep exited(const GuardLimits& limits, GuardState* state, const GuardEvent& event, int64_t now_ns)
{
	const ExitClass exit_class = exit_told(*state, event.exit_class);
	state->nr_exits[std::to_underlying(exit_class)]++;
	if (exit_class == ExitClass::slo)
		return fault(limits, state, state->reason, now_ns);
	if (is_fault(exit_class))
		return fault(limits, state, event.words, now_ns);
	state->loaded_at_ns = 0;
	state->ops.clear();
	if (exit_class == ExitClass::hotplug)
		return hotplug(limits, state, event.words, now_ns);
	return hold(state, HeldBy::person, event.words);
}

// Longer than the longest back-off only when the clock was set back.
void shorten_wait(const GuardLimits& limits, GuardState* state, int64_t now_ns)
{
	const double longest_ns = static_cast<double>(limits.back_off_max_ns) * (1 + limits.jitter_max);
	state->wait_until_ns = std::min(state->wait_until_ns, now_ns + static_cast<int64_t>(longest_ns));
}

// The machine was on EEVDF already: nobody fell back now.
GuardStep as_before(GuardStep step)
{
	for (GuardAlert& alert : step.alerts)
		alert.fell_back = false;
	return step;
}

GuardStep woke(const GuardLimits& limits, GuardState* state, int64_t now_ns)
{
	if (state->phase != GuardPhase::resting)
		return {};
	shorten_wait(limits, state, now_ns);
	return now_ns < state->wait_until_ns ? GuardStep{.action = GuardActionKind::wait} : load(state);
}

// The machine went down with a scheduler loaded. Perhaps it was that: a loop of reboots is to end on EEVDF.
GuardStep went_down(const GuardLimits& limits, GuardState* state, int64_t now_ns)
{
	state->nr_exits[std::to_underlying(ExitClass::kernel)]++;
	// When it went down nobody knows; now is the latest that it can have been.
	return as_before(
	    fault(limits, state,
		  fmt::format("{}: the machine went down while {} was loaded", exit_class_name(ExitClass::kernel),
			      state->ops.empty() ? "a scheduler" : state->ops),
		  now_ns));
}

// A guard that was killed had its scheduler unloaded by the kernel: no fault of the scheduler. What was waited for is
// still waited for, so that restarts of the guard are no way round the back-off.
GuardStep started(const GuardLimits& limits, GuardState* state, const std::string& boot_id, int64_t now_ns)
{
	const bool is_other_boot = !state->boot_id.empty() && !boot_id.empty() && state->boot_id != boot_id;
	state->boot_id = boot_id;
	if (state->phase == GuardPhase::held)
		return as_before(hold(state, state->held_by, state->reason));
	const bool was_loaded = state->phase != GuardPhase::resting && state->phase != GuardPhase::ended;
	if (was_loaded && is_other_boot)
		return went_down(limits, state, now_ns);
	state->loaded_at_ns = 0;
	state->ops.clear();
	shorten_wait(limits, state, now_ns);
	if (state->phase == GuardPhase::resting && state->wait_until_ns > now_ns)
		return as_before(rest(state, state->reason, state->wait_until_ns, now_ns));
	GuardStep step = load(state);
	if (was_loaded)
		step.alerts.push_back({AlertLevel::warning,
				       "the guard before this one ended without unloading (killed); the kernel fell "
				       "back to EEVDF by itself"});
	return step;
}

GuardStep reset(GuardState* state)
{
	const bool waits = state->phase == GuardPhase::held || state->phase == GuardPhase::resting;
	forgive(state);
	if (!waits)
		return {};
	GuardStep step = load(state);
	step.alerts.push_back({AlertLevel::info, "reset by a person; loading again"});
	return step;
}

GuardStep unload(GuardState* state)
{
	if (state->phase == GuardPhase::running)
		return {.action = GuardActionKind::unload};  // ends as asked for
	if (state->phase == GuardPhase::resting)
		return as_before(hold(state, HeldBy::person, "unloaded by a person"));
	return {};
}

// No fault, and no wait. What is not loaded is loaded with the new configuration when its time has come.
GuardStep reload(GuardState* state)
{
	if (state->phase != GuardPhase::running)
		return {.action = state->phase == GuardPhase::resting ? GuardActionKind::wait : GuardActionKind::stay};
	GuardStep step = load(state);
	step.action = GuardActionKind::reload;
	return step;
}

GuardStep stop(GuardState* state)
{
	// Who stops the guard and starts it again wants it to load; a breaker that opened takes a --reset all the same.
	if (state->phase == GuardPhase::held && state->held_by == HeldBy::breaker)
		return {.action = GuardActionKind::end};
	if (state->phase != GuardPhase::resting)
		state->wait_until_ns = 0;
	state->phase = state->wait_until_ns ? GuardPhase::resting : GuardPhase::ended;
	state->held_by = HeldBy::nobody;
	state->ops.clear();
	return {.action = GuardActionKind::end};
}

GuardStep broken(GuardState* state, const std::string& words)
{
	if (state->phase != GuardPhase::running)
		return {};
	state->phase = GuardPhase::unloading;
	state->reason = words;
	return {.action = GuardActionKind::unload};
}

}  // namespace

std::string_view guard_phase_name(GuardPhase phase)
{
	constexpr std::array<std::string_view, 6> kNames = {"resting",   "loading", "running",
							    "unloading", "held",    "ended"};
	return kNames[std::to_underlying(phase)];
}

ExitClass exit_told(const GuardState& state, ExitClass exit_class)
{
	const bool by_rule = state.phase == GuardPhase::unloading && exit_class == ExitClass::asked_for;
	return by_rule ? ExitClass::slo : exit_class;
}

std::string_view held_by_name(HeldBy held_by)
{
	constexpr std::array<std::string_view, 4> kNames = {"nobody", "breaker", "person", "foreign"};
	return kNames[std::to_underlying(held_by)];
}

void forgive(GuardState* state)
{
	state->faults_ns.clear();
	state->hotplugs_ns.clear();
	state->nr_faults_in_row = 0;
	if (state->phase != GuardPhase::held && state->phase != GuardPhase::resting)
		return;
	state->phase = GuardPhase::resting;
	state->held_by = HeldBy::nobody;
	state->reason.clear();
	state->wait_until_ns = 0;
}

int64_t back_off_ns(const GuardLimits& limits, uint64_t nr_faults_in_row, uint64_t* random)
{
	int64_t wait_ns = limits.back_off_first_ns;
	for (uint64_t fault = 1; fault < nr_faults_in_row && wait_ns < limits.back_off_max_ns; fault++)
		wait_ns *= 2;
	wait_ns = std::min(wait_ns, limits.back_off_max_ns);
	return wait_ns + static_cast<int64_t>(static_cast<double>(wait_ns) * limits.jitter_max * next_fraction(random));
}

GuardStep next(const GuardLimits& limits, GuardState* state, const GuardEvent& event, int64_t now_ns)
{
	switch (event.kind) {
	case GuardEventKind::started:
		return started(limits, state, event.words, now_ns);
	case GuardEventKind::loaded:
		state->phase = GuardPhase::running;
		state->loaded_at_ns = now_ns;
		state->ops = event.words;
		state->reason.clear();
		return {};
	case GuardEventKind::exited:
		return exited(limits, state, event, now_ns);
	case GuardEventKind::foreign:
		return hold(state, HeldBy::foreign, fmt::format("somebody else loaded scheduler {}", event.words));
	case GuardEventKind::warned:
		state->nr_warnings++;
		return {.alerts = {{AlertLevel::warning, event.words}}};
	case GuardEventKind::broken:
		return broken(state, event.words);
	case GuardEventKind::mended:
		return {.alerts = {{AlertLevel::info, event.words}}};
	case GuardEventKind::woke:
		return woke(limits, state, now_ns);
	case GuardEventKind::reset:
		return reset(state);
	case GuardEventKind::unload:
		return unload(state);
	case GuardEventKind::reload:
		return reload(state);
	case GuardEventKind::stop:
		return stop(state);
	}
	return {};
}

}  // namespace punctual
