// SPDX-License-Identifier: GPL-2.0-only
// A scheduler object may come from anybody and be damaged: opening it, and reading its table and its variables, must
// end in an error or in fields that lie within it. libbpf reads it, without our sanitizers; what it allocates is
// checked all the same.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "object/open.h"
#include "object/ops_fields.h"
#include "object/variables.h"

using namespace punctual;

// Those that are built in are not what is read here, and need a compiler for BPF.
extern "C" {
extern const std::byte scx_simple_object_begin{};
extern const std::byte scx_simple_object_end{};
extern const std::byte scx_latency_object_begin{};
extern const std::byte scx_latency_object_end{};
}

namespace {

void touch(std::span<std::byte> bytes)
{
	for (std::byte& byte : bytes) {
		volatile std::byte* at = &byte;
		*at = *at;  // the loader writes here, too
	}
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	static const int file = memfd_create("object", 0);
	static const std::string path = "/proc/self/fd/" + std::to_string(file);
	if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size))
		abort();
	Result<ObjectPtr> object = open_object(path);
	if (!object) {
		if (object.error().what.empty())
			abort();
		return 0;
	}
	OpsFields::of(object->get())->for_each([](const std::string&, std::span<std::byte> bytes) { touch(bytes); });
	const Variables variables = Variables::of(object->get());
	for (const char* name : {"slice_ns", "nr_queued", "x"})
		if (const Variable* variable = variables.find(name))
			touch(variable->bytes);
	return 0;
}
