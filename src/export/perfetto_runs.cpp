// SPDX-License-Identifier: GPL-2.0-only
#include "export/perfetto_runs.h"

#include <fmt/format.h>

#include "export/perfetto_packets.h"

namespace punctual {

using namespace perfetto;

void PerfettoRuns::begin_group(std::string_view prefix, u32 nr_cpus)
{
	first_track_ = next_track_;
	next_track_ += nr_cpus;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		put_track(bytes_, first_track_ + cpu, ascii(fmt::format("{} CPU {}", prefix, cpu)));
}

void PerfettoRuns::add_run(u32 cpu, u64 begin_ns, u64 end_ns, std::string_view name)
{
	put_event(bytes_, begin_ns, first_track_ + cpu, EventType::slice_begin,
		  [&](auto& event) { event.add_string(Event::name, ascii(name)); });
	put_event(bytes_, end_ns, first_track_ + cpu, EventType::slice_end, [](auto&) {});
}

void PerfettoRuns::add_instant(u32 cpu, u64 at_ns, std::string_view name)
{
	put_event(bytes_, at_ns, first_track_ + cpu, EventType::instant,
		  [&](auto& event) { event.add_string(Event::name, ascii(name)); });
}

}  // namespace punctual
