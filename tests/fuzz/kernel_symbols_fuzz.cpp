// SPDX-License-Identifier: GPL-2.0-only
// Any text gives functions or an error; an address has the name of one of its lines, or none.
#include <cstdlib>
#include <string>

#include "base/kernel_symbols.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const std::string text(reinterpret_cast<const char*>(data), size);
	const Result<KernelSymbols> symbols = KernelSymbols::parse(text);
	if (!symbols)
		return 0;
	if (symbols->size() == 0 || symbols->size() > size)
		abort();
	for (uint64_t address = 0; address < 1024; address++)
		for (const uint64_t base : {uint64_t{0}, ~uint64_t{0} - 1023})
			if (text.find(symbols->name_at(base + address)) == std::string::npos)
				abort();
	return 0;
}
