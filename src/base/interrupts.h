// SPDX-License-Identifier: GPL-2.0-only
// Which CPUs served which interrupt how often: /proc/interrupts as values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_list.h"

namespace punctual {

struct Interrupt {
	std::string name;  // "24 virtio1-input.0": the number and the last words, as the kernel writes them
	std::vector<std::pair<int, uint64_t>> counts;  // CPU, how often; only CPUs with any

	uint64_t count_on(const CpuList& cpus) const;
};

// Numbered interrupts alone: those of devices, which can be moved. Lines that cannot be read are left out, as are
// interrupts that never came; at most kInterruptsMax.
constexpr size_t kInterruptsMax = 4096;
std::vector<Interrupt> parse_interrupts(std::string_view text);

}  // namespace punctual
