# SPDX-License-Identifier: GPL-2.0-only
"""The rules of a roll-out: see rules.py."""
from rule import Rule

ROLLOUT_SOURCES = {
    "tests/unit/rollout_state_test.cpp": (
        "src/bench/rollout_state.cpp", "src/bench/rollout_plan.cpp", "src/bench/rollout_record.cpp",
        "src/bench/rollout_rule.cpp", "src/bench/side_counts.cpp", "src/bench/side_counts_json.cpp",
        "src/bench/starts.cpp", "src/measure/paired.cpp", "src/measure/histogram.cpp", "src/base/perf_counters.cpp",
        "src/base/rule_words.cpp", "src/base/cpu_list.cpp"),
    "tests/unit/rollout_rule_test.cpp": (
        "src/bench/rollout_plan.cpp", "src/bench/rollout_rule.cpp", "src/bench/starts.cpp", "src/measure/paired.cpp",
        "src/measure/histogram.cpp", "src/base/rule_words.cpp", "src/base/cpu_list.cpp"),
}

ROLLOUT_RULES = {
    ("src/bench/rollout_state.cpp", "tests/unit/rollout_state_test.cpp"): (
        Rule("nothing that is unclear is kept",
             "if (verdict == RuleVerdict::holds) {", "if (verdict != RuleVerdict::fails) {",
             "Rollout.NeverKeepsWhatIsUnclear"),
        Rule("whatever goes wrong ends with EEVDF",
             "return leave(state, event.code, event.reason);\n\tif (event.kind == RolloutEventKind::fell_back",
             "return {RolloutActionKind::end};\n\tif (event.kind == RolloutEventKind::fell_back",
             "Rollout.EveryAbortLeavesEevdf"),
        Rule("half of a pair is measured again",
             "state->run -= state->run % 2;", "",
             "Rollout.HalfAPairIsMeasuredAgain"),
        Rule("a verdict is not taken up again",
             "return !is_over || !is_final;", "return true;",
             "Rollout.AVerdictAndAnEjectionAreNotTakenUpAgain"),
        Rule("every step has to hold",
             "if (state->step < plan.steps.size()) {\n\t\tstate->phase", "if (state->step < 1) {\n\t\tstate->phase",
             "Rollout.KeepsOnlyAfterEveryStepHeld"),
    ),
    ("src/bench/rollout_rule.cpp", "tests/unit/rollout_rule_test.cpp"): (
        Rule("who drops more has not shown that it is faster",
             "after <= before ? RuleVerdict::holds : RuleVerdict::unclear", "RuleVerdict::holds",
             "KeepRule.WhoDropsMoreThanEevdfHasNotShownThatItIsFaster"),
    ),
}
