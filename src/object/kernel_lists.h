// SPDX-License-Identifier: GPL-2.0-only
// The kernel's lists of BPF programs and maps: how a command finds what another process has loaded.
// Nothing is pinned, so these lists are the only way. Needs root. Part of object/, shown to no other folder.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "abi/sched.h"
#include "base/fd.h"
#include "base/result.h"

namespace punctual {

constexpr uint32_t kKernelObjectsMax = 100000;  // bound of each walk over a list

// Ids of the kernel's types for sched_ext: struct_ops is also used for congestion control, HID, qdiscs.
struct SchedExtTypes {
	uint32_t ops = 0;    // struct sched_ext_ops: the type that callbacks belong to
	uint32_t value = 0;  // struct bpf_struct_ops_sched_ext_ops: the value of its map
};
SchedExtTypes sched_ext_types();

struct KernelProgram {
	bpf_prog_info info;
	std::vector<uint32_t> map_ids;
};

// The name as in /sys/kernel/sched_ext/root/ops; "" when nothing is loaded. Error (lacking): no sched_ext.
Result<std::string> active_scheduler();

// All callbacks of sched_ext schedulers.
std::vector<KernelProgram> sched_ext_programs();

// The map of this name and value size (0: any) among those that the programs use: the youngest, because those of a
// scheduler that has just ended may linger. Invalid when there is none.
UniqueFd find_kernel_map(const std::vector<KernelProgram>& programs, std::string_view name, uint32_t value_size);

// The rows in use of a map "class_verdicts".
std::vector<class_verdict> read_verdicts(const UniqueFd& map);

}  // namespace punctual
