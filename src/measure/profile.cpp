// SPDX-License-Identifier: GPL-2.0-only
#include "measure/profile.h"

#include <algorithm>

namespace punctual {
namespace {

constexpr std::string_view kTimerFrame = "bpf_timer_cb";  // who calls the function of a BPF timer

}  // namespace

u64 callbacks_ns(const Profile& profile)
{
	u64 sum_ns = 0;
	for (const CallbackCost& callback : profile.callbacks)
		sum_ns += callback.run_ns;
	return sum_ns;
}

u64 callbacks_runs(const Profile& profile)
{
	u64 nr_runs = 0;
	for (const CallbackCost& callback : profile.callbacks)
		nr_runs += callback.nr_runs;
	return nr_runs;
}

std::vector<NamedWeight> named_weights(const SampleWeights& weights)
{
	return {{"bpf_scheduler", "BPF scheduler", weights.bpf},
		{"sched_ext_core", "sched_ext core", weights.ext_core},
		{"kernel_scheduler", "the rest of the kernel's scheduler", weights.kernel_scheduler},
		{"kernel_other", "the rest of the kernel", weights.kernel_other},
		{"user", "user space", weights.user},
		{"idle", "idle", weights.idle}};
}

void add_kernel_sample(Profile* profile, std::span<const std::string_view> frames,
		       const std::set<std::string, std::less<>>& programs, bool is_idle_task, u64 weight)
{
	const std::vector<SchedulerPart> parts = scheduler_parts(frames, programs);
	const SchedulerPart part = parts.empty() ? SchedulerPart::none : parts.back();
	SampleWeights& weights = profile->weights;
	if (part == SchedulerPart::none && is_idle_task && !has_interrupt(frames)) {
		weights.idle += weight;
		return;
	}
	(part == SchedulerPart::bpf        ? weights.bpf
	 : part == SchedulerPart::ext_core ? weights.ext_core
	 : part == SchedulerPart::kernel   ? weights.kernel_scheduler
					   : weights.kernel_other) += weight;
	if (part == SchedulerPart::bpf && std::ranges::find(frames, kTimerFrame) != frames.end())
		weights.bpf_timers += weight;
	std::vector<StackFrame> stack;
	stack.reserve(frames.size());
	for (size_t i = 0; i < frames.size(); i++)
		stack.push_back({frames[i], parts[i]});
	profile->stacks.add(stack, weight);
	if (part == SchedulerPart::none)
		return;
	const auto outside = std::find(parts.rbegin(), parts.rend(), SchedulerPart::none);
	const auto nr_outside = static_cast<size_t>(parts.rend() - outside);
	profile->scheduler_stacks.add(std::span(stack).subspan(nr_outside), weight);
}

}  // namespace punctual
