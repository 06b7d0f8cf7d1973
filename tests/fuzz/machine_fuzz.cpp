// SPDX-License-Identifier: GPL-2.0-only
// Machines as text, and files of costs: any text must give a value or an error, CPUs are within their bound, and costs
// that were accepted must survive being written and read again.
#include <cstdlib>
#include <string_view>

#include "sim/costs.h"
#include "sim/topology.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const std::string_view text(reinterpret_cast<const char*>(data), size);
	if (const auto places = sim::parse_topology(text); places && (places->empty() || places->size() > CPUS_MAX))
		abort();
	const auto costs = sim::parse_costs(text, "fuzz.toml");
	if (!costs) {
		if (!costs.error().what.starts_with("fuzz.toml:") || costs.error().code != ExitCode::usage)
			abort();
		return 0;
	}
	const std::string written = sim::costs_toml(*costs);
	const auto again = sim::parse_costs(written, "fuzz.toml");
	if (!again || sim::costs_toml(*again) != written)
		abort();
	return 0;
}
