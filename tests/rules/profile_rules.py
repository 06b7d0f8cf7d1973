# SPDX-License-Identifier: GPL-2.0-only
"""The rules of a profile: see rules.py."""
from rule import Rule

PROFILE_SOURCES = {
    "tests/unit/profile_test.cpp": (
        "src/measure/profile.cpp", "src/measure/stack_tree.cpp", "src/measure/scheduler_part.cpp",
        "src/base/kernel_symbols.cpp", "src/base/perf_sampler.cpp", "src/export/stacks_text.cpp",
        "src/export/harmless.cpp"),
    "tests/unit/view_profile_test.cpp": (
        "src/measure/profile.cpp", "src/measure/stack_tree.cpp", "src/measure/scheduler_part.cpp",
        "src/view/flame_graph.cpp", "src/view/profile_page.cpp", "src/view/profile_text.cpp", "src/view/figure_style.cpp",
        "src/view/html_page.cpp", "src/view/number.cpp", "src/view/svg.cpp", "src/view/table.cpp", "src/view/text.cpp"),
}

PROFILE_RULES = {
    ("src/measure/scheduler_part.cpp", "tests/unit/profile_test.cpp"): (
        Rule("an interrupt meanwhile is not the scheduler",
             "if (is_interrupt(name))", "if (false)",
             "SchedulerPart.InterruptMeanwhileIsNotTheScheduler"),
        Rule("what a BPF scheduler calls is its own",
             "part < SchedulerPart::ext_core && is_ext(name)", "is_ext(name)",
             "SchedulerPart.WhoeverIsCalledFromAPartBelongsToIt"),
        Rule("what compilers append to a name does not count",
             "return name.substr(0, name.find('.'));", "return name;",
             "SchedulerPart.NamesThatTheCompilerMadeAreTheSameFunctions"),
    ),
    ("src/measure/profile.cpp", "tests/unit/profile_test.cpp"): (
        Rule("an interrupt on an idle CPU is no idling",
             "is_idle_task && !has_interrupt(frames)", "is_idle_task",
             "Profile.EverySampleIsInExactlyOneWeight"),
    ),
    ("src/measure/stack_tree.cpp", "tests/unit/profile_test.cpp"): (
        Rule("stacks are bounded",
             "if (nodes_.size() >= nodes_max_) {", "if (false) {",
             "StackTree.HasABoundAndLosesNoWeightThere"),
    ),
    ("src/base/kernel_symbols.cpp", "tests/unit/profile_test.cpp"): (
        Rule("an address far behind a function is not in it",
             "address - std::prev(next)->address >= kFunctionBytesMax", "false",
             "KernelSymbols.AddressBelongsToTheFunctionThatBeginsBeforeIt"),
    ),
    ("src/base/perf_sampler.cpp", "tests/unit/profile_test.cpp"): (
        Rule("a stack is no longer than its record",
             "nr > kAddressesMax || nr * sizeof(uint64_t) > record.size()", "nr > kAddressesMax",
             "PerfSampler.RecordThatIsCutIsNoSample"),
        Rule("marks in a stack are no addresses",
             "address < PERF_CONTEXT_MAX", "true",
             "PerfSampler.SampleIsReadAsTheKernelWritesIt"),
    ),
    ("src/export/stacks_text.cpp", "tests/unit/profile_test.cpp"): (
        Rule("a name makes neither a frame nor a line",
             'harmless(stacks.name(stacks.node(stack[i])), "; ")', "stacks.name(stacks.node(stack[i]))",
             "FoldedStacks.LineIsAStackFromTheOutermostAndItsWeight"),
    ),
    ("src/view/flame_graph.cpp", "tests/unit/view_profile_test.cpp"): (
        Rule("what nobody could see is not drawn",
             "if (width >= kLeast)", "if (true)",
             "FlameGraph.IsSoundForHostileNamesNoneAndMany"),
    ),
    ("src/view/svg.cpp", "tests/unit/view_profile_test.cpp"): (
        Rule("a detail of a box is text",
             "const std::string text = escape_markup(detail.text);", "const std::string text(detail.text);",
             "FlameGraph.IsSoundForHostileNamesNoneAndMany"),
    ),
}
