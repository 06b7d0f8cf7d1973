// SPDX-License-Identifier: GPL-2.0-only
// Any text must give a configuration or an error in one line, and what is taken from it is not empty.
#include <cstdlib>
#include <string_view>

#include "scope/config_file.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const Result<ConfigFile> config = parse_config({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
	if (!config) {
		if (!config.error().what.starts_with("fuzz.toml:") || config.error().code != ExitCode::usage)
			abort();
		return 0;
	}
	for (const ConfigBudget& budget : config->budgets)
		if (budget.latency.empty())
			abort();
	for (const std::string& assignment : config->set)
		if (assignment.find('=') == std::string::npos || assignment.ends_with('='))
			abort();
	return 0;
}
