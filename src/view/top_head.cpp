// SPDX-License-Identifier: GPL-2.0-only
// The lines above the table of `punctual top` that never scroll away, and those below it.
#include <fmt/format.h>

#include "base/units.h"
#include "view/number.h"
#include "view/text.h"
#include "view/top_parts.h"
#include "view/top_words.h"

namespace punctual {
namespace {

constexpr int kLabelWidth = 11;

std::string window_text(const TopState& state, const TopFacts& facts)
{
	const std::string length = fmt::format("{:.1f} s", static_cast<double>(facts.window_ns) / 1e9);
	return (state.is_frozen ? "FROZEN  " : "") + (state.since_reset ? "since reset, " + length : "last " + length);
}

void draw_tabs(Canvas* canvas, const TopState& state, const TopFacts& facts)
{
	int x = canvas->put(0, 0, "punctual top ", {Ink::accent, true, false});
	for (u32 view = 0; view < kTopViews; view++) {
		const bool is_shown = view == static_cast<u32>(state.view);
		// The brackets say it where reverse video cannot be seen, as in a file.
		const std::string tab =
		    fmt::format("{}{}{}", is_shown ? '[' : ' ', kTopViewNames[view], is_shown ? ']' : ' ');
		x += canvas->put(x, 0, tab, {Ink::plain, is_shown, is_shown});
	}
	const std::string window = window_text(state, facts);
	canvas->put_right(x + 1, 0, canvas->width() - x - 1, window,
			  {state.is_frozen ? Ink::bad : Ink::plain, state.is_frozen, false});
}

std::string end_text(const SchedExtEnd& end)
{
	return fmt::format("{} was {} ({})", clean_text(end.ops), end.is_ejection ? "EJECTED" : "unloaded",
			   clean_text(end.reason));
}

std::string scheduler_text(const TopScheduler& scheduler)
{
	if (!scheduler.has_sched_ext)
		return "EEVDF (this kernel has no sched_ext)";
	std::string text = scheduler.name.empty() ? "EEVDF" : clean_text(scheduler.name);
	if (!scheduler.serves_all)
		text += " (partial)";
	if (scheduler.age_ns)
		text += " for " + age_text(*scheduler.age_ns);
	if (scheduler.name.empty() && scheduler.last_end)
		text += ", since " + end_text(*scheduler.last_end);
	return text + fmt::format("; loads since boot {}, ejections {}, tasks rejected {}",
				  count_text(scheduler.enable_seq), count_text(scheduler.nr_ejections),
				  count_text(scheduler.nr_rejected));
}

void draw_line(Canvas* canvas, int y, std::string_view label, const std::string& text, Look look = {})
{
	canvas->put(0, y, label, {Ink::faint});
	canvas->put(kLabelWidth, y, text, look);
}

void draw_scheduler(Canvas* canvas, const TopScheduler& scheduler)
{
	const bool is_ejected = scheduler.name.empty() && scheduler.last_end && scheduler.last_end->is_ejection;
	const bool is_bad = scheduler.has_changed || is_ejected;
	draw_line(canvas, 1, "scheduler",
		  (scheduler.has_changed ? "CHANGED in this window: " : "") + scheduler_text(scheduler),
		  {is_bad ? Ink::bad : Ink::plain, is_bad});
}

std::string waits_text(const TopFacts& facts)
{
	const WaitCounts all = facts.waits.all();
	if (all.count() == 0)
		return "none in this window";
	std::string text = rate_text(all.count(), facts.window_ns) + "/s";
	const std::pair<const char*, double> quantiles[] = {
	    {"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}};
	for (const auto& [name, q] : quantiles)
		text += fmt::format("  {} {}", name, us_text(all.quantile_ns(q)));
	return text + " us";
}

std::string open_text(const OpenWaits& open)
{
	if (open.nr == 0)
		return "none";
	return fmt::format("{} not ended, longest {} us: {} ({})", count_text(open.nr), us_text(open.longest_ns),
			   clean_text(open.comm), open.pid);
}

std::string losses_text(const WaitLosses& losses)
{
	// The worst first: a narrow terminal cuts the end off.
	return fmt::format(
	    "lost {}, discarded {}, unseen {}, unknown start {}, outliers dropped {}, woken while queued {}, "
	    "while running {}",
	    count_text(losses.lost), count_text(losses.discarded), count_text(losses.unseen_switches),
	    count_text(losses.unknown_start), count_text(losses.outliers_dropped),
	    count_text(losses.wakeup_while_queued), count_text(losses.wakeup_while_running));
}

std::string keys_text(const TopState& state)
{
	if (state.is_typing)
		return "filter: " + state.filter + "_   (Enter keeps it, Esc clears it)";
	if (!state.message.empty())
		return state.message;
	const std::string filter = state.filter.empty() ? "" : "filter '" + state.filter + "'  ";
	return filter + fmt::format("q quit  ? help  Tab view  / filter  s sort  f freeze  i window  r reset  +- {}",
				    format_duration(Nanoseconds(state.interval_ns)));
}

}  // namespace

void draw_head(Canvas* canvas, const TopState& state, const TopFacts& facts)
{
	draw_tabs(canvas, state, facts);
	draw_scheduler(canvas, facts.scheduler);
	draw_line(canvas, 2, "waits", waits_text(facts));
	draw_line(canvas, 3, "open", open_text(facts.waits.open));
	const bool is_lossy = facts.losses.lost > 0;
	draw_line(canvas, 4, "losses", losses_text(facts.losses), {is_lossy ? Ink::bad : Ink::plain, is_lossy});
}

void draw_foot(Canvas* canvas, const TopState& state, const Panel& panel)
{
	const int y = canvas->height() - kTopFootRows;
	const auto cursor = static_cast<size_t>(state.place().cursor);
	if (cursor < panel.rows.size()) {
		const std::string count = fmt::format("{}/{}", cursor + 1, panel.rows.size());
		const int width = canvas->width() - static_cast<int>(count.size()) - 1;
		canvas->put(0, y, shortened(clean_text(panel.rows[cursor].detail), width), {Ink::faint});
		canvas->put_right(width + 1, y, static_cast<int>(count.size()), count, {Ink::faint});
	}
	canvas->put(0, y + 1, keys_text(state), {Ink::accent, state.is_typing, false});
}

}  // namespace punctual
