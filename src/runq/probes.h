// SPDX-License-Identifier: GPL-2.0-only
// The BPF programs of the collector, loaded and attached, and what they share with us. Part of runq/, shown to no
// other folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "abi/runq.h"
#include "base/fd.h"
#include "base/result.h"
#include "object/open.h"
#include "runq/collector.h"

namespace punctual {

struct LinkDestroy {
	void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

struct Unmap {
	size_t bytes = 0;
	void operator()(volatile void* memory) const;
};
template <typename T>
using Mapped = std::unique_ptr<T, Unmap>;

struct Probes {
	// `nr_rows`: for cgroups, with the one of "(other)". Errors as Collector::attach.
	static Result<Probes> load(const CollectorOptions& options, u32 nr_rows);

	int map_fd(const char* name) const { return bpf_object__find_map_fd_by_name(object.get(), name); }

	ObjectPtr object;
	std::vector<std::unique_ptr<bpf_link, LinkDestroy>> links;
	std::vector<int> events;        // programs that tracepoints run: what costs
	bpf_link* tasks = nullptr;      // of the iterator; one of `links`
	Mapped<runq_control> control;   // lives in the kernel
	Mapped<volatile u64> culprits;  // [row of the victim * (nr_rows + 1) + row of the culprit]
	u32 nr_rows = 0;
	u32 nr_cpus = 0;  // possible ones: so many values has a per-CPU element
};

}  // namespace punctual
