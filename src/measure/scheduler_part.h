// SPDX-License-Identifier: GPL-2.0-only
// To which part of the scheduler a function on a stack belongs. By names, as kernels 6.12 to 7.3 have them; what the
// compiler put into a function of another part counts there.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace punctual {

enum class SchedulerPart {
	none,      // not the scheduler
	kernel,    // the kernel's own: EEVDF, the classes above it, the core, the switch between tasks
	ext_core,  // sched_ext, which calls a BPF scheduler
	bpf,       // the BPF scheduler, with the kernel functions that it calls
};

// The part of each frame, from the outermost in; that of the last is that of the sample. Whoever is called from a part
// belongs to it, but for an interrupt that comes meanwhile, and its handler. `programs`: names of the BPF scheduler's
// functions.
std::vector<SchedulerPart> scheduler_parts(std::span<const std::string_view> frames,
					   const std::set<std::string, std::less<>>& programs);

// Is there an interrupt or a fault on the stack? The entry of a system call is none.
bool has_interrupt(std::span<const std::string_view> frames);

}  // namespace punctual
