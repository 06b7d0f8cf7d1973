// SPDX-License-Identifier: GPL-2.0-only
// Which cgroups have a series of their own among the metrics of a server that runs for months: those whose tasks wait
// most, at most so many; the rest is "(other)".
//
// A counter must never fall, also when another cgroup takes the place of one: what was counted as "(other)" stays
// there, and a series begins with 0. Who comes in has waited twice as long, of late, as the one that goes; one a minute
// changes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "measure/waits.h"

namespace punctual {

class CgroupSeries {
 public:
	explicit CgroupSeries(size_t nr_max) : nr_max_(nr_max) {}

	// What happened from the last call on: the difference of two snapshots.
	void add(const WaitSnapshot& interval);

	// At most nr_max, and "(other)" (id 0) when it holds something. The paths are harmless already.
	std::vector<CgroupWaits> rows() const;

 private:
	void let_in(std::vector<const CgroupWaits*> rows);
	void rank();

	size_t nr_max_;
	std::map<std::string, CgroupWaits> series_;  // by path
	CgroupWaits other_;
	std::map<std::string, u64> waited_ns_;  // of late, also of those in "(other)"; as many as a snapshot has
	u64 ranked_at_ns_ = 0;
};

}  // namespace punctual
