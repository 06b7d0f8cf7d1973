// SPDX-License-Identifier: GPL-2.0-only
#include "view/waits_page.h"

#include <algorithm>

#include <fmt/format.h>

#include "view/figure.h"
#include "view/number.h"
#include "view/text.h"
#include "view/waits_sections.h"

namespace punctual {
namespace {

constexpr size_t kNameMax = 40;

// Finer buckets than ours hold ours without a change: each wait stands at the end of its bucket.
Histogram histogram_of(const WaitCounts& counts)
{
	Histogram histogram;
	for (u32 i = 0; i < counts.buckets.size(); i++) {
		const bool is_last = i + 1 == LOGLIN_RUNQ_BUCKETS;
		const u64 end_ns = is_last ? counts.max_ns : loglin_max(i, LOGLIN_RUNQ_BITS);
		histogram.record(std::min(end_ns, counts.max_ns), counts.buckets[i]);
	}
	return histogram;
}

std::string name_of(const WaitsPart& part)
{
	return shortened(clean_text(part.name), kNameMax);
}

TableRow table_row(const WaitsPart& part, int color)
{
	const WaitCounts all = part.total.all();
	const u64 nr = all.count();
	TableRow row{{{name_of(part), Tone::plain, color}, {count_text(nr)}}};
	row.cells.push_back({nr ? us_text(all.sum_ns / nr) : "-"});
	for (double quantile : {0.5, 0.9, 0.99, 0.999, 0.9999})
		row.cells.push_back({nr ? us_text(all.quantile_ns(quantile)) : "-"});
	row.cells.push_back({nr ? us_text(all.max_ns) : "-"});
	row.cells.push_back({count_text(part.total.losses.lost), part.total.losses.lost ? Tone::bad : Tone::plain});
	return row;
}

PageSection percentile_section(const std::vector<WaitsPart>& parts)
{
	PageSection section;
	section.heading = "Waits by percentile";
	section.table = Table{{{"recording", false},
			       {"waits"},
			       {"mean us"},
			       {"p50 us"},
			       {"p90 us"},
			       {"p99 us"},
			       {"p99.9 us"},
			       {"p99.99 us"},
			       {"max us"},
			       {"lost"}},
			      {}};
	std::vector<Histogram> histograms;  // the plot points to them
	histograms.reserve(parts.size());
	for (const WaitsPart& part : parts)
		histograms.push_back(histogram_of(part.total.all()));
	PercentilePlot plot{"Run-queue waits by percentile",
			    {},
			    0,
			    "run-queue wait, us",
			    "percentile of waits, the longest to the right"};
	for (size_t at = 0; at < parts.size(); at++) {
		const int color = static_cast<int>(at);
		section.table->rows.push_back(table_row(parts[at], color));
		if (histograms[at].count())
			plot.lines.push_back({name_of(parts[at]),
					      fmt::format("p99.9 {} us", us_text(histograms[at].quantile_ns(0.999))),
					      &histograms[at], color, false, parts[at].total.losses.lost > 0});
	}
	section.figures.push_back({percentile_plot(plot),
				   "Lower is better. Right of p90 lies one wait in ten, right of p99 one in a hundred, "
				   "and so on; faint where "
				   "fewer than 100 waits remain. An open circle marks a recording that lost events."});
	section.notes = {
	    fmt::format("A quantile is the end of its bucket: at most {:.1f} % too long, never too short. "
			"Mean and maximum are exact.",
			100 * WaitCounts::kErrorMax)};
	return section;
}

PageSection kind_section(const WaitsPart& part)
{
	PageSection section;
	section.heading = "By how the wait began";
	section.table = Table{{{"kind", false}, {"waits"}, {"p50 us"}, {"p99 us"}, {"p99.9 us"}, {"max us"}}, {}};
	for (u32 kind = 0; kind < kWaitKinds; kind++) {
		const WaitCounts counts = part.total.of_kind(static_cast<WaitKind>(kind));
		const bool any = counts.count() > 0;
		TableRow row{{{std::string(kWaitKindNames[kind])}, {count_text(counts.count())}}};
		for (double quantile : {0.5, 0.99, 0.999})
			row.cells.push_back({any ? us_text(counts.quantile_ns(quantile)) : "-"});
		row.cells.push_back({any ? us_text(counts.max_ns) : "-"});
		section.table->rows.push_back(std::move(row));
	}
	return section;
}

std::vector<PageTile> tiles_of(const std::vector<WaitsPart>& parts)
{
	std::vector<PageTile> tiles;
	for (const WaitsPart& part : parts) {
		const WaitCounts all = part.total.all();
		const u64 lost = part.total.losses.lost;
		tiles.push_back({fmt::format("p99 of {}", name_of(part)),
				 all.count() ? us_text(all.quantile_ns(0.99)) + " us" : "-",
				 fmt::format("{} waits, longest {} us, {} lost", count_text(all.count()),
					     us_text(all.max_ns), lost ? count_text(lost) : "none"),
				 lost ? Tone::bad : Tone::plain});
	}
	return tiles;
}

std::string headline_of(const std::vector<WaitsPart>& parts)
{
	std::string text;
	for (const WaitsPart& part : parts) {
		const WaitCounts all = part.total.all();
		text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", name_of(part),
				    all.count() ? fmt::format("99 % of waits within {} us, the longest {} us",
							      us_text(all.quantile_ns(0.99)), us_text(all.max_ns))
						: std::string("no waits"));
	}
	return text + ".";
}

void append_sections(const WaitsPart& part, int color, bool alone, std::vector<PageSection>* sections)
{
	std::vector<PageSection> own = {time_section(part, color), kind_section(part),    cpu_section(part, color),
					cgroup_section(part),      culprit_section(part), longest_section(part),
					loss_section(part)};
	own.push_back({"Environment", {}, {}, {}, part.environment, {}});
	for (PageSection& section : own) {
		if (!alone)
			section.heading = fmt::format("{}: {}", name_of(part), section.heading);
		sections->push_back(std::move(section));
	}
}

}  // namespace

std::string waits_html(const std::vector<WaitsPart>& parts)
{
	Page page;
	page.title = "punctual report";
	page.eyebrow = "punctual report: run-queue waits";
	if (parts.empty()) {
		page.headline = "No recordings.";
		return html_page(page);
	}
	page.headline = headline_of(parts);
	for (const WaitsPart& part : parts)
		if (!part.warning.empty())
			page.lead +=
			    fmt::format("{}{}: {}.", page.lead.empty() ? "" : " ", name_of(part), part.warning);
	page.tiles = tiles_of(parts);
	page.sections.push_back(percentile_section(parts));
	for (size_t at = 0; at < parts.size(); at++)
		append_sections(parts[at], static_cast<int>(at), parts.size() == 1, &page.sections);
	page.footer = "A wait begins when a task wants a CPU and ends when it runs.";
	return html_page(page);
}

}  // namespace punctual
