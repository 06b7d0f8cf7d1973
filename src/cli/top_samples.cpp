// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_samples.h"

#include <algorithm>
#include <utility>

#include "base/sched_ext.h"
#include "object/loaded.h"

namespace punctual {
namespace {

TopScheduler read_scheduler()
{
	const SchedExtState now = read_sched_ext();
	TopScheduler scheduler;
	scheduler.has_sched_ext = now.is_present;
	scheduler.name = now.ops;
	scheduler.serves_all = now.serves_all;
	scheduler.enable_seq = now.enable_seq;
	scheduler.nr_rejected = now.nr_rejected;
	return scheduler;
}

bool is_another(const TopScheduler& a, const TopScheduler& b)
{
	return a.enable_seq != b.enable_seq || a.name != b.name;
}

}  // namespace

TopScheduler TopSchedulerWatch::look(u64 now_ns)
{
	TopScheduler now = read_scheduler();
	if (!has_looked_ || is_another(now, last_)) {
		born_ns_ = has_looked_ ? std::optional(now_ns) : std::nullopt;
		if (!now.name.empty())
			if (const auto loaded = loaded_scheduler(); loaded && *loaded)
				born_ns_ = now_ns - std::min(now_ns, u64{(*loaded)->loaded_ns_ago});
	}
	has_looked_ = true;
	log_.look();
	now.nr_ejections = log_.nr_ejections();
	now.last_end = log_.last_end();
	last_ = now;
	if (born_ns_)
		now.age_ns = now_ns - std::min(now_ns, *born_ns_);
	return now;
}

void TopSamples::add(TopSample sample)
{
	previous = std::exchange(latest, std::move(sample));
}

TopFacts TopSamples::facts(bool since_reset, const std::vector<u32>& cache_of_cpu) const
{
	const TopSample& begin = since_reset ? reset : previous;
	TopFacts facts;
	facts.waits = waits_between(begin.waits, latest.waits);
	facts.window_ns = latest.waits.at_ns - std::min(begin.waits.at_ns, latest.waits.at_ns);
	facts.losses = latest.waits.losses;
	facts.cache_of_cpu = cache_of_cpu;
	facts.scheduler = latest.scheduler;
	facts.scheduler.has_changed = is_another(begin.scheduler, latest.scheduler);
	return facts;
}

}  // namespace punctual
