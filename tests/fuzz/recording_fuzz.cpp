// SPDX-License-Identifier: GPL-2.0-only
// A recording comes from somebody else's machine: any bytes must give a report or an error, and cutting the file
// must never make decisions of it that were not there before.
#include <cstdlib>

#include "sim/replay.h"

using namespace punctual::sim;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const auto bytes = std::as_bytes(std::span(data, size));
	const auto report = replay(bytes);
	if (!report)
		return 0;
	const auto cut = replay(bytes.first(size - size / 4));
	if (cut && cut->nr_decisions() > report->nr_decisions())
		abort();
	if (report->first_difference.empty() != (report->nr_differing == 0))
		abort();
	return 0;
}
