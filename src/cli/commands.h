// SPDX-License-Identifier: GPL-2.0-only
// The table of subcommands. One file a subcommand: it declares its options on `app` and returns
// what to do once they are parsed. Only these actions print results and choose exit codes.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace punctual {

// Runs after parsing. An error is printed by main as one line and ends the process with its code.
using Action = std::function<Result<ExitCode>()>;

Action setup_bench(CLI::App& app);
Action setup_budget(CLI::App& app);
Action setup_compare(CLI::App& app);
Action setup_completions(CLI::App& app);
Action setup_doctor(CLI::App& app);
Action setup_export(CLI::App& app);
Action setup_guard(CLI::App& app);
Action setup_lab(CLI::App& app);
Action setup_lab_init(CLI::App& app);
Action setup_profile(CLI::App& app);
Action setup_record(CLI::App& app);
Action setup_report(CLI::App& app);
Action setup_rollout(CLI::App& app);
Action setup_run(CLI::App& app);
Action setup_runq(CLI::App& app);
Action setup_serve(CLI::App& app);
Action setup_sim(CLI::App& app);
Action setup_status(CLI::App& app);
Action setup_top(CLI::App& app);
Action setup_unload(CLI::App& app);

}  // namespace punctual
