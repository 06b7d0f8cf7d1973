// SPDX-License-Identifier: GPL-2.0-only
// The record of --only is read by root, who then writes to what it names: any text must give a record of cpuset
// files and threads, or an error; and a record that was accepted must survive being written and read again.
#include <cstdlib>
#include <string_view>

#include "scope/partial_record.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const Result<PartialRecord> record = parse_record({reinterpret_cast<const char*>(data), size});
	if (!record)
		return 0;
	for (const FileChange& file : record->files)
		if (!file.path.is_absolute() || !file.path.filename().native().starts_with("cpuset.cpus."))
			abort();
	const Result<PartialRecord> again = parse_record(record_text(*record));
	if (!again || *again != *record)
		abort();
	return 0;
}
