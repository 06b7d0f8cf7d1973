// SPDX-License-Identifier: GPL-2.0-only
// What has to be done to a sched_ext object between opening and loading it, so that one object
// runs on every kernel: constants filled in, members that the kernel lacks cleared, options set.
#pragma once

#include <string>
#include <vector>

#include "base/cpu_list.h"
#include "base/result.h"
#include "object/kernel_types.h"
#include "object/variables.h"

struct bpf_object;
struct bpf_map;

namespace punctual {

struct PrepareOptions {
	CpuList cpus;  // empty: everywhere
	std::vector<std::string> set;
	uint32_t timeout_ms = 0;
	bool record_decisions = false;
	bool only_named = false;  // partial mode; the caller then keeps its tasks on `cpus`, whatever the object knows
};

struct Prepared {
	bpf_map* ops = nullptr;          // the struct_ops map to attach
	std::string name;                // ops.name
	std::vector<std::string> notes;  // what was left out for this kernel, a line each
};

// `variables` are those of `object`. Errors: usage (no scheduler in it, bad tunable, the object
// cannot be limited to CPUs), lacking (needs what the kernel does not have).
Result<Prepared> prepare(bpf_object* object, const Variables& variables, const KernelTypes& kernel,
			 const PrepareOptions& options);

}  // namespace punctual
