// SPDX-License-Identifier: GPL-2.0-only
// Durations, rates and sizes come from command lines and configuration files. Any text must give a value or an
// error, and a duration that was accepted must survive being printed and read again.
#include <cstdlib>
#include <string_view>

#include "base/units.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const std::string_view text(reinterpret_cast<const char*>(data), size);
	if (const Result<Nanoseconds> duration = parse_duration(text)) {
		if (duration->count() < 0)
			abort();
		const Result<Nanoseconds> again = parse_duration(format_duration(*duration));
		if (!again || *again != *duration)
			abort();
	}
	if (const Result<uint64_t> rate = parse_rate(text); rate && *rate == 0)
		abort();
	(void)parse_size(text);
	return 0;
}
