// SPDX-License-Identifier: GPL-2.0-only
// The rows of cgroups in the kernel's tables: reads them, and gives back those of removed cgroups when rows get short,
// so that on a machine where cgroups come and go new ones are still told apart. Part of runq/, shown to no other
// folder.
#pragma once

#include <optional>
#include <vector>

#include "measure/waits.h"
#include "runq/cgroup_names.h"
#include "runq/counters.h"
#include "runq/probes.h"

namespace punctual {

class CgroupRows {
 public:
	explicit CgroupRows(const Probes& probes);  // must outlive this

	std::optional<u64> id_of(u32 row) const;  // 0: "(other)"; nullopt: nobody's
	Status read(CgroupNames* names, WaitSnapshot* snapshot);
	void read_culprits(WaitSnapshot* snapshot) const;
	// Behind all reading of a snapshot. What such a cgroup counted is among the others from the next one on.
	Status give_back(CgroupNames* names, u64 now_ns);

 private:
	struct Row {
		Counter counter;
		Throttling throttling;  // as last known
		u64 quiet_since_ns =
		    0;  // since then it counted nothing, and nobody is left who could; 0: that is not so
		bool is_removed = false;
	};

	u32 nr_used() const;
	u32 nr_free() const;
	bool is_free(u32 row) const;
	Status give_back_row(u32 row, CgroupNames* names);
	void fold_culprits(u32 row);

	const Probes& probes_;
	std::vector<runq_histogram> values_;  // of a row, of each possible CPU
	std::vector<Row> rows_;
	WaitCounts given_back_;  // what rows that were given back had counted
};

}  // namespace punctual
