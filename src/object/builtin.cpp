// SPDX-License-Identifier: GPL-2.0-only
#include "object/builtin.h"

// Made by cmake/bpf.cmake.
extern "C" {
extern const std::byte scx_simple_object_begin, scx_simple_object_end;
extern const std::byte scx_latency_object_begin, scx_latency_object_end;
}

namespace punctual {

std::span<const Builtin> builtin_schedulers()
{
	static const Builtin builtins[] = {
	    {"scx_latency",
	     "latency budgets by cgroup, everything else weighted fair",
	     {&scx_latency_object_begin, &scx_latency_object_end}},
	    {"scx_simple",
	     "one weighted fair queue for the whole machine: the reference",
	     {&scx_simple_object_begin, &scx_simple_object_end}},
	};
	return builtins;
}

const Builtin* find_builtin(std::string_view name)
{
	for (const Builtin& builtin : builtin_schedulers())
		if (builtin.name == name)
			return &builtin;
	return nullptr;
}

}  // namespace punctual
