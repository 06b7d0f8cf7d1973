# SPDX-License-Identifier: GPL-2.0-only
"""The rules of the guard: see rules.py."""
from rule import Rule

GUARD_SOURCES = {
    "tests/unit/guard_state_test.cpp": ("src/guard/guard_state.cpp", "src/guard/exit_class.cpp"),
    "tests/unit/guard_config_test.cpp": ("src/guard/guard_config.cpp",),
    "tests/unit/control_request_test.cpp": ("src/guard/control_request.cpp",),
    "tests/unit/slo_rule_test.cpp": ("src/guard/slo_rule.cpp", "src/base/rule_words.cpp"),
}

GUARD_RULES = {
    ("src/guard/guard_state.cpp", "tests/unit/guard_state_test.cpp"): (
        Rule("the breaker opens at the third fault",
             "state->faults_ns.size() >= limits.faults_max", "state->faults_ns.size() > limits.faults_max",
             "Guard.BreakerOpensAtTheThirdFault"),
        Rule("it stays open over a stop and a start",
             "state->held_by == HeldBy::breaker)\n\t\treturn", "state->held_by == HeldBy::nobody)\n\t\treturn",
             "Guard.BreakerOutlivesStopAndStart"),
        Rule("loads are few, whatever happens",
             "forget_old(&state->faults_ns, limits.fault_window_ns, now_ns);", "state->faults_ns.clear();",
             "Guard.LoadsOfTenMinutesAreBounded"),
        Rule("what a person did is not undone",
             "return hold(state, HeldBy::person, event.words);",
             "return rest(state, event.words, now_ns + limits.back_off_first_ns, now_ns);",
             "Guard.WhatAPersonDidIsNotUndone"),
        Rule("the back-off has an end",
             "wait_ns = std::min(wait_ns, limits.back_off_max_ns);", "wait_ns *= 2;",
             "Guard.BackOffGrowsAndIsBounded"),
        Rule("a restart is no way round the back-off",
             "if (state->phase == GuardPhase::resting && state->wait_until_ns > now_ns)", "if (now_ns < 0)",
             "Guard.RestartIsNoWayRoundTheBackOff"),
        Rule("a loop of reboots opens the breaker",
             "if (was_loaded && is_other_boot)", "if (was_loaded && now_ns < 0)",
             "Guard.LoopOfRebootsOpensTheBreaker"),
        Rule("a reload is no fault and no wait",
             "step.action = GuardActionKind::reload;", "step = fault({}, state, \"reload\", 0);",
             "Guard.ReloadIsNoFaultAndNoWait"),
    ),
    ("src/guard/guard_config.cpp", "tests/unit/guard_config_test.cpp"): (
        Rule("a reload leaves alone what did not change",
             "if (old && *old == budget)", "if (old == &budget)",
             "GuardConfig.SameConfigurationChangesNothing"),
    ),
    ("src/guard/control_request.cpp", "tests/unit/control_request_test.cpp"): (
        Rule("root and the group may control, nobody else",
             "return uid == 0 ||", "return gid == 0 ||",
             "MayControl.RootAndMembersOfTheGroupOnly"),
    ),
    ("src/guard/exit_class.cpp", "tests/unit/guard_state_test.cpp"): (
        Rule("a hotplug is no fault",
             "exit_class != ExitClass::asked_for && exit_class != ExitClass::hotplug", "exit_class != ExitClass::asked_for",
             "Guard.HotplugIsNoFault"),
    ),
    ("src/guard/slo_rule.cpp", "tests/unit/slo_rule_test.cpp"): (
        Rule("a rule is broken only after its whole time",
             "lasted_ns >= rule.for_ns", "lasted_ns >= 0",
             "SloWatch.IsBrokenOnlyAfterTheWholeTime"),
        Rule("a warning that comes and goes is said once",
             "watched.is_broken && lasted_ns >= kMendedNs", "watched.is_broken",
             "SloWatch.WarningThatComesAndGoesIsSaidOnce"),
    ),
}
