// SPDX-License-Identifier: GPL-2.0-only
#include "bench/telemetry_script.h"

// The assembler finds the file by the include directories of the compiler.
asm(R"(
.pushsection .rodata
.global punctual_telemetry_begin
punctual_telemetry_begin:
.incbin "workloads/telemetry.py"
.global punctual_telemetry_end
punctual_telemetry_end:
.popsection
)");

extern "C" const char punctual_telemetry_begin[];
extern "C" const char punctual_telemetry_end[];

namespace punctual {

std::string_view telemetry_script()
{
	return {punctual_telemetry_begin, static_cast<size_t>(punctual_telemetry_end - punctual_telemetry_begin)};
}

}  // namespace punctual
