# SPDX-License-Identifier: GPL-2.0-only
"""Rules of real packets and of the lab's kernel modules: what accounts for the packets of the window, and what is loaded."""
from rule import Rule

WIRE_SOURCES = {
    "tests/unit/lab_modules_test.cpp": (
        "src/lab/module_info.cpp", "src/lab/module_store.cpp", "src/lab/kernel_table.cpp", "src/lab/checksum.cpp",
        "src/lab/apt.cpp", "src/lab/apt_sources.cpp", "src/base/file_lock.cpp", "src/base/process.cpp"),
    "tests/unit/bench_packets_test.cpp": (
        "src/bench/packet_account.cpp", "src/bench/link_counters.cpp", "src/bench/packet_plane.cpp", "src/bench/result.cpp",
        "src/bench/result_json.cpp", "src/bench/side_counts.cpp", "src/bench/side_counts_json.cpp",
        "src/base/perf_counters.cpp", "src/measure/histogram.cpp"),
}

WIRE_RULES = {
    ("src/lab/module_info.cpp", "tests/unit/lab_modules_test.cpp"): (
        Rule("a name is the kernel's, whatever the file is called",
             "std::ranges::replace(name, '-', '_');", "",
             "ModuleInfo.ANameIsTheSameWithDashesAndAsAFile"),
        Rule("a part beyond the end of a file is none",
             "offset > bytes.size() || size > bytes.size() - offset", "offset > bytes.size()",
             "ModuleInfo.WhatIsCutOffIsNoModule"),
    ),
    ("src/lab/module_store.cpp", "tests/unit/lab_modules_test.cpp"): (
        Rule("what a module needs comes before it, and each once",
             "begun_.push_back(name);", "begun_.push_back(name); modules_.push_back({name, {}});",
             "ModuleStore.WhatAModuleNeedsComesBeforeItAndOnce"),
    ),
    ("src/lab/kernel_table.cpp", "tests/unit/lab_modules_test.cpp"): (
        Rule("an image package that is empty has no modules",
             'are_apart ? "linux-modules-"', 'false ? "linux-modules-"',
             "KernelTable.ModulesAreInAPackageOfTheirOwnWhereTheImageIsToo"),
    ),
    ("src/bench/packet_account.cpp", "tests/unit/bench_packets_test.cpp"): (
        Rule("a link loses no more in the window than in the run",
             "window.delivered + account.to_sink.total() + account.duplicates", "~uint64_t{0}",
             "PacketAccount.TheWindowMayLoseLessThanTheRunButNotMore"),
        Rule("its stages are told only where they are known",
             "return std::nullopt;", "return run;",
             "PacketAccount.StagesOfTheWindowAreToldWhereTheyCanBe"),
    ),
}
