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
	for (const ConfigValue& assignment : config->set)
		if (assignment.text.find('=') == std::string::npos || assignment.text.ends_with('='))
			abort();
	for (const auto* list : {&config->slo, &config->slices, &config->set})
		for (const ConfigValue& value : *list)
			if (value.text.empty() || !value.place.starts_with("fuzz.toml:"))
				abort();
	// Merged with itself it says the same.
	ConfigFile merged = *config;
	merge_config(&merged, *config);
	if (merged.set.size() != config->set.size() || merged.budgets.size() != config->budgets.size() ||
	    merged.scheduler.text != config->scheduler.text)
		abort();
	return 0;
}
