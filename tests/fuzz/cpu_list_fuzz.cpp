// SPDX-License-Identifier: GPL-2.0-only
// Any text must give CPUs within the limit or an error, and the canonical form must mean the same set.
#include <cstdlib>
#include <string_view>

#include "base/cpu_list.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const Result<CpuList> list = CpuList::parse({reinterpret_cast<const char*>(data), size});
	if (!list)
		return 0;
	if (list->empty() || list->cpus().front() < 0 || list->cpus().back() >= CpuList::kCpusMax)
		abort();
	const Result<CpuList> again = CpuList::parse(list->text());
	if (!again || again->cpus() != list->cpus() || again->text() != list->text())
		abort();
	return 0;
}
