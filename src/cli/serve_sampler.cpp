// SPDX-License-Identifier: GPL-2.0-only
#include "cli/serve_sampler.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/clock.h"
#include "base/sched_ext.h"
#include "cli/cgroup_name.h"
#include "cli/feasible_words.h"
#include "cli/guard_look.h"
#include "guard/guard_record.h"
#include "object/class_waits.h"
#include "object/program_cost.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kPointsMax = 300;             // of the history: five minutes of seconds
constexpr u64 kMomentEachNs = 10'000'000'000;  // how exactly "the last minute" is one
constexpr size_t kMomentsMax = 7;              // so it is between 50 and 60 s
constexpr std::array kExits = {ExitClass::asked_for, ExitClass::hotplug, ExitClass::error,   ExitClass::stall,
			       ExitClass::sysrq,     ExitClass::kernel,  ExitClass::refused, ExitClass::slo};

std::string host_name()
{
	char name[256] = {};
	return ::gethostname(name, sizeof(name) - 1) == 0 ? clean_text(name) : "";
}

}  // namespace

ServeSampler::ServeSampler(SamplerOptions options, std::optional<Collector> collector)
    : options_(std::move(options)),
      collector_(std::move(collector)),
      host_(host_name()),
      series_(options_.cgroups_max),
      served_(std::make_shared<const Served>())
{}

LiveClass ServeSampler::class_of(const LoadedScheduler& loaded, const class_stats& row, const Moment& minute) const
{
	const auto old = std::ranges::find(minute.classes, row.cgroup_id, &class_stats::cgroup_id);
	// A row that was given away and back counts anew.
	const bool is_same = old != minute.classes.end() && old->nr_waits <= row.nr_waits;
	const class_stats recent = class_waits_between(is_same ? *old : class_stats{}, row);
	const class_verdict verdict = loaded.verdict_of(row);
	return {.cgroup = cgroup_text(row.cgroup_id),
		.budget_ns = row.budget_ns,
		.nr_waits = row.nr_waits,
		.nr_missed = row.nr_missed,
		.wait_ns_sum = row.wait_ns_sum,
		.nr_windows = verdict.nr_windows,
		.nr_infeasible = verdict.nr_infeasible,
		.infeasible = verdict.nr_infeasible ? infeasible_words(verdict) : "",
		.nr_recent_waits = recent.nr_waits,
		.nr_recent_missed = recent.nr_missed,
		.recent_p99_ns = wait_quantile_ns(recent, 0.99)};
}

void ServeSampler::look_at_scheduler(LiveFacts* facts, Moment* moment)
{
	const SchedExtState state = read_sched_ext();
	log_.look();
	LiveScheduler& live = facts->scheduler;
	live.has_sched_ext = state.is_present;
	live.ops = clean_text(state.ops);
	live.serves_all = state.serves_all;
	if (log_.is_readable())
		live.nr_ejections = log_.nr_ejections();
	if (log_.last_end())
		live.last_end = clean_text(fmt::format("{}: {}", log_.last_end()->ops, log_.last_end()->reason));
	moment->enable_seq = state.enable_seq;
	if (state.ops.empty())
		return;
	const auto loaded = loaded_scheduler();
	if (!loaded) {
		live.trouble = loaded.error().what;
		return;
	}
	if (!*loaded)  // it went meanwhile
		return;
	const LoadedScheduler& scheduler = **loaded;
	live.age_ns = scheduler.loaded_ns_ago;
	if (scheduler.stats)
		live.nr_starved = scheduler.stats->nr_starved;
	// Another scheduler's counts are no beginning of this one's last minute.
	const bool is_same = !minute_.empty() && minute_.front().enable_seq == state.enable_seq;
	const Moment nothing;
	for (const class_stats& row : scheduler.classes)
		live.classes.push_back(class_of(scheduler, row, is_same ? minute_.front() : nothing));
	moment->classes = scheduler.classes;
	for (const LoadedProgram& program : scheduler.programs)
		if (const std::optional<u64> run_ns = program_run_ns(program.id))
			facts->programs.push_back({program.name, *run_ns});
}

void ServeSampler::look_at_guard_into(LiveFacts* facts)
{
	guard_metrics_.clear();
	const Result<std::optional<GuardLook>> look = look_at_guard(options_.state_dir);
	if (!look) {
		facts->guard_trouble = look.error().what;
		return;
	}
	if (!*look)
		return;
	const GuardState& state = (*look)->state;
	guard_metrics_ = guard_state_metrics(state);
	LiveGuard guard{.is_running = (*look)->is_running,
			.phase = std::string(guard_phase_name(state.phase)),
			.held_by = std::string(held_by_name(state.held_by)),
			.reason = clean_text(state.reason),
			.nr_faults = state.faults_ns.size(),
			.nr_loads = state.nr_loads,
			.nr_warnings = state.nr_warnings};
	for (const ExitClass exit_class : kExits)
		guard.exits.emplace_back(exit_class_name(exit_class), state.nr_exits[static_cast<size_t>(exit_class)]);
	facts->guard = std::move(guard);
}

void ServeSampler::look_at_waits(LiveFacts* facts, Moment* moment)
{
	if (!collector_) {
		facts->waits_trouble = "not counted: --no-runq";
		return;
	}
	if (options_.cost)
		if (const Result<ProbeCost> cost = collector_->cost(); cost)
			facts->probes_ns = cost->run_ns;
	Result<WaitSnapshot> now = collector_->snapshot();
	if (!now) {
		facts->waits_trouble = now.error().what;
		return;
	}
	const WaitSnapshot interval = before_ ? waits_between(*before_, *now) : *now;
	series_.add(interval);
	if (before_)
		points_.push_back(live_point(interval, facts->at_ns, facts->scheduler.ops));
	if (points_.size() > kPointsMax)
		points_.pop_front();
	moment->waits.cgroups = now->cgroups;  // the rest would be a megabyte on large machines
	if (!minute_.empty()) {
		WaitSnapshot after;
		after.cgroups = now->cgroups;
		facts->recent = waits_between(minute_.front().waits, after).cgroups;
		facts->recent_ns = moment->at_ns - minute_.front().at_ns;
		for (CgroupWaits& row : facts->recent)
			row.path = clean_text(row.path);
	}
	WaitSnapshot total = *now;
	total.cgroups = series_.rows();
	total.culprits.clear();
	facts->waits = std::move(total);
	before_ = std::move(*now);
}

void ServeSampler::remember(Moment moment)
{
	if (!minute_.empty() && moment.enable_seq != minute_.back().enable_seq)
		for (Moment& old : minute_)
			old.classes.clear();
	if (!minute_.empty() && moment.at_ns - minute_.back().at_ns < kMomentEachNs)
		return;
	minute_.push_back(std::move(moment));
	if (minute_.size() > kMomentsMax)
		minute_.pop_front();
}

void ServeSampler::sample()
{
	Moment moment{.at_ns = monotonic_ns()};
	LiveFacts facts{.version = PUNCTUAL_VERSION,
			.host = host_,
			.at_ns = clock_ns(CLOCK_REALTIME),
			.interval_ns = static_cast<u64>(options_.interval.count())};
	look_at_scheduler(&facts, &moment);
	look_at_guard_into(&facts);
	look_at_waits(&facts, &moment);
	auto next = std::make_shared<Served>();
	next->metrics = live_metrics(facts) + guard_metrics_;
	const bool is_new = !points_.empty() && points_.back().at_ns == facts.at_ns;
	next->live = live_json(facts, is_new ? std::optional(points_.back()) : std::nullopt);
	next->history = history_json(points_, facts.interval_ns);
	remember(std::move(moment));
	const std::lock_guard lock(mutex_);
	served_ = std::move(next);
}

std::shared_ptr<const Served> ServeSampler::served() const
{
	const std::lock_guard lock(mutex_);
	return served_;
}

}  // namespace punctual
