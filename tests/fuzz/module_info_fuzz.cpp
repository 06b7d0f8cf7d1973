// SPDX-License-Identifier: GPL-2.0-only
// Any bytes give the names that a module needs, out of these bytes, or an error.
#include <cstdlib>
#include <string_view>

#include "lab/module_info.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const auto names = module_dependencies({reinterpret_cast<const char*>(data), size});
	if (!names)
		return 0;
	size_t total = 0;
	for (const std::string& name : *names) {
		if (name.find_first_of(std::string_view("-,\0", 3)) != std::string::npos)
			abort();
		total += name.size();
	}
	if (total > size)
		abort();
	return 0;
}
