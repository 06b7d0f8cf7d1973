// SPDX-License-Identifier: GPL-2.0-only
#include "view/bench_page.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "view/bench_terms.h"
#include "view/bench_verdict.h"
#include "view/figure.h"
#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kNameMax = 40;  // columns of the table; an object file may have any name

Tone latency_tone(u64 latency_ns, u64 budget_ns)
{
	return budget_ns && latency_ns > budget_ns ? Tone::bad : Tone::plain;
}

// The same arm has the same colour wherever it is named, also when it was run twice.
int color_of(const BenchReport& report, size_t index)
{
	const auto first = std::ranges::find(report.rows, report.rows[index].name, &BenchRow::name);
	return static_cast<int>(first - report.rows.begin());
}

std::string rate_text(u64 count, u64 window_ns)
{
	if (window_ns == 0)
		return "-";
	return count_text(std::llround(static_cast<double>(count) * 1e9 / static_cast<double>(window_ns)));
}

// The column is there only where the cost of a cycle can be told.
bool shows_cycles(const BenchReport& report)
{
	return std::ranges::any_of(report.rows, [](const BenchRow& row) { return row.cycle_ns != 0; });
}

// "54.6 (54.1-55.3)": the middle one of the starts, the least and the most.
std::string spread_text(const Spread& spread)
{
	const auto us = [](double ns) { return us_text(static_cast<u64>(std::llround(ns))); };
	return fmt::format("{} ({}-{})", us(spread.median), us(spread.least), us(spread.most));
}

std::string quantile_text(const BenchRow& row, double quantile)
{
	if (row.latency.count() == 0)
		return "-";
	return row.runs.empty() ? us_text(row.latency.quantile_ns(quantile))
				: spread_text(spread_of_quantile(row, quantile));
}

std::string drop_text(const BenchRow& row)
{
	if (row.runs.empty() || row.dropped == 0)
		return percent_text(row.dropped, row.offered);
	const Spread spread = spread_of_drops(row);
	return fmt::format("{} ({}-{})", relative_text(spread.median), relative_text(spread.least),
			   relative_text(spread.most));
}

std::string work_text(const BenchReport& report, const BenchRow& row)
{
	if (row.runs.empty())
		return relative_text(relative_work(report, row));
	const Spread spread = spread_of_work(report, row);
	return fmt::format("{} ({}-{})", relative_text(spread.median), relative_text(spread.least),
			   relative_text(spread.most));
}

TableRow table_row(const BenchReport& report, const BenchVerdict& verdict, size_t index)
{
	const BenchRow& row = report.rows[index];
	TableRow out{{{shortened(clean_text(row.name), kNameMax), Tone::plain, color_of(report, index)}},
		     &row == verdict.best && verdict.kept};
	for (double q : {0.5, 0.99, 0.999, 1.0}) {
		const u64 ns =
		    row.runs.empty() ? row.latency.quantile_ns(q) : static_cast<u64>(spread_of_quantile(row, q).most);
		out.cells.push_back({quantile_text(row, q), latency_tone(ns, verdict.budget_ns)});
	}
	out.cells.push_back({drop_text(row), row.dropped ? Tone::bad : Tone::plain});
	out.cells.push_back({work_text(report, row)});
	out.cells.push_back({rate_text(row.context_switches, row.window_ns)});
	out.cells.push_back({percent_text(row.packet_cpu_ns, row.window_ns)});
	out.cells.push_back({percent_text(row.background_cpu_ns, row.window_ns)});
	if (shows_cycles(report))
		out.cells.push_back({row.cycle_ns ? count_text(row.cycle_ns) : "-"});
	if (!row.invalid.empty()) {
		out.cells[0].text += " (invalid)";
		for (TableCell& cell : out.cells)
			cell.tone = Tone::faint;
	}
	return out;
}

Table table_of(const BenchReport& report, const BenchVerdict& verdict)
{
	Table table{{{"arm", false},
		     {"p50 us"},
		     {"p99 us"},
		     {"p99.9 us"},
		     {"max us"},
		     {"drop %"},
		     {"background %"},
		     {"switches/s"},
		     {"packet CPU %"},
		     {"background CPU %"}},
		    {}};
	if (shows_cycles(report))
		table.columns.push_back({"cycle ns"});
	for (size_t index = 0; index < report.rows.size(); ++index)
		table.rows.push_back(table_row(report, verdict, index));
	return table;
}

std::string change_text(double ratio)
{
	return ratio >= 2 || ratio <= 0.5 ? fmt::format("{:.3g}x", ratio) : fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

std::string title_of_comparisons(const BenchReport& report)
{
	return fmt::format("Against {}, by {} pairs of runs", clean_text(report.rows.front().name),
			   report.rows.front().runs.size());
}

Table comparison_table(const BenchReport& report)
{
	Table table{{{"arm", false}, {"of", false}, {"change"}, {"95 % from"}, {"to"}, {"p"}, {"verdict", false}}, {}};
	for (const BenchComparison& row : report.comparisons) {
		const auto known = [&](double ratio) { return row.is_known ? change_text(ratio) : "-"; };
		const Tone tone = row.verdict == "better"  ? Tone::good
				  : row.verdict == "worse" ? Tone::bad
							   : Tone::plain;
		table.rows.push_back({{{shortened(clean_text(row.arm), kNameMax)},
				       {row.metric},
				       {known(row.ratio)},
				       {known(row.ratio_low)},
				       {known(row.ratio_high)},
				       {row.is_known ? fmt::format("{:.2g}", row.p) : "-"},
				       {row.verdict, tone}}});
	}
	return table;
}

std::vector<std::string> comparison_notes(const BenchReport& report)
{
	std::vector<std::string> notes = {
	    "A run is what is compared, never a packet: packets of one run share its stalls. p is by exact sign flips, "
	    "the "
	    "interval by bootstrap over the pairs; the p99 was named before, and each p is corrected for all that are "
	    "asked "
	    "(Holm)."};
	if (!report.noise_floor.empty())
		notes.insert(notes.begin(), report.noise_floor);
	std::map<std::string, std::vector<std::string>> reasons;  // and of whom
	for (const BenchComparison& row : report.comparisons)
		if (row.verdict == "inconclusive" || row.verdict == "no difference")
			reasons[row.reason].push_back(fmt::format("{}, {}", clean_text(row.arm), row.metric));
	for (const auto& [reason, of] : reasons)
		notes.push_back(of.size() == 1 ? of[0] + ": " + reason : reason);
	return notes;
}

std::string comparison_text(const BenchReport& report)
{
	if (report.comparisons.empty())
		return "";
	std::string text = title_of_comparisons(report) + "\n\n" + table_text(comparison_table(report)) + "\n";
	for (const std::string& note : comparison_notes(report))
		text += "- " + note + "\n";
	return text + "\n";
}

PageSection terms_section(const BenchReport& report)
{
	return {"Latency in the terms of RFC 8219", {}, rfc8219_table(report), {}, {}, rfc8219_notes(report)};
}

std::string section_text(const PageSection& section)
{
	if (!section.table || section.table->rows.empty())
		return "";
	std::string text = clean_text(section.heading) + "\n\n" + table_text(*section.table) + "\n";
	for (const std::string& note : section.notes)
		text += "- " + clean_text(note) + "\n";
	return text + "\n";
}

Markup latency_plot(const BenchReport& report, const BenchVerdict& verdict)
{
	PercentilePlot plot{"Packet latency by percentile", {}, verdict.budget_ns};
	for (size_t index = 0; index < report.rows.size(); ++index) {
		const BenchRow& row = report.rows[index];
		std::string note = fmt::format("p99.9 {} us", us_text(row.latency.quantile_ns(0.999)));
		if (!row.invalid.empty())
			note = "invalid";
		else if (row.dropped)
			note += fmt::format(", drop {} %", percent_text(row.dropped, row.offered));
		if (row.latency.count())
			plot.lines.push_back({row.name, note, &row.latency, color_of(report, index),
					      &row == verdict.best, row.dropped > 0});
	}
	return percentile_plot(plot);
}

Markup cost_plot(const BenchReport& report, const BenchVerdict& verdict)
{
	FrontierPlot plot{"Packet latency against background work",
			  fmt::format("background work, % of {}'s", clean_text(report.rows.front().name)),
			  fmt::format("{} of packet latency, us", judged_name(report)),
			  {},
			  verdict.budget_ns};
	for (size_t index = 0; index < report.rows.size(); ++index) {
		const BenchRow& row = report.rows[index];
		double work = 100 * relative_work(report, row);
		if (row.invalid.empty() && row.latency.count() && std::isfinite(work))
			plot.points.push_back({row.name, work, judged_ns(report, row), color_of(report, index),
					       &row == verdict.best, row.dropped > 0});
	}
	return frontier_plot(plot);
}

Markup drop_chart(const BenchReport& report, const BenchVerdict& verdict)
{
	BarChart chart{"Packets dropped", {}};
	for (size_t index = 0; index < report.rows.size(); ++index) {
		const BenchRow& row = report.rows[index];
		double share = row.offered ? static_cast<double>(row.dropped) / static_cast<double>(row.offered) : 0;
		std::string text = percent_text(row.dropped, row.offered);
		chart.bars.push_back({row.name, 100 * share, text == "0" || text == "-" ? text : text + " %",
				      color_of(report, index), &row == verdict.best});
	}
	return bar_chart(chart);
}

Markup work_chart(const BenchReport& report, const BenchVerdict& verdict)
{
	BarChart chart{"Background work", {}, 100};
	for (size_t index = 0; index < report.rows.size(); ++index) {
		const BenchRow& row = report.rows[index];
		double ratio = relative_work(report, row);
		chart.bars.push_back({row.name, 100 * ratio, relative_text(ratio) + " %", color_of(report, index),
				      &row == verdict.best});
	}
	return bar_chart(chart);
}

std::vector<PageTile> tiles_of(const BenchReport& report, const BenchVerdict& verdict)
{
	if (!verdict.best)
		return {};
	const BenchRow& best = *verdict.best;
	const BenchRow& first = report.rows.front();
	bool alone = &best == &first;
	auto lost = [](const BenchRow& row) {
		return row.dropped ? percent_text(row.dropped, row.offered) + " %" : std::string("none");
	};
	auto beside = [&](const std::string& value) { return alone ? std::string() : first.name + ": " + value; };
	double ratio = relative_work(report, best);
	return {{fmt::format("{} of {}", judged_name(report), best.name), us_text(judged_ns(report, best)) + " us",
		 beside(us_text(judged_ns(report, first)) + " us"), verdict.kept ? Tone::good : Tone::bad},
		{fmt::format("Packets lost by {}", best.name), lost(best), beside(lost(first)),
		 best.dropped ? Tone::bad : Tone::good},
		{"Background work beside it", relative_text(ratio) + " %",
		 alone ? "" : fmt::format("{}: 100 %", first.name), ratio >= 0.995 ? Tone::good : Tone::plain}};
}

std::string load_line(const BenchReport& report)
{
	std::string line;
	for (const PageFact& fact : report.load)
		line += fmt::format("{}{} {}", line.empty() ? "" : ", ", clean_text(fact.name), clean_text(fact.value));
	return line;
}

PageSection latency_section(const BenchReport& report, const BenchVerdict& verdict)
{
	PageSection section;
	section.heading = "Latency by percentile";
	section.figures.push_back(
	    {latency_plot(report, verdict),
	     "Lower is better. Right of p90 lies one packet in ten, right of p99 one in a hundred, and so on; faint "
	     "where "
	     "fewer than 100 packets remain. An open circle marks an arm that dropped packets: those have no latency, "
	     "so its line flatters."});
	return section;
}

PageSection cost_section(const BenchReport& report, const BenchVerdict& verdict)
{
	PageSection section;
	section.heading = "What it costs";
	section.figures = {
	    {cost_plot(report, verdict),
	     "The stepped line joins the arms that no other beats in both; open circles dropped packets."},
	    {drop_chart(report, verdict), "Packets dropped, of those offered.", true},
	    {work_chart(report, verdict),
	     fmt::format("Background work done in the same time, relative to {}.", report.rows.front().name), true}};
	return section;
}

}  // namespace

std::string bench_text(const BenchReport& report)
{
	if (report.rows.empty())
		return "no arms\n";
	BenchVerdict verdict = bench_verdict(report);
	std::string text;
	if (!report.load.empty())
		text += load_line(report) + "\n\n";
	text += table_text(table_of(report, verdict)) + "\n" + clean_text(verdict.headline) + "\n";
	if (!verdict.lead.empty())
		text += clean_text(verdict.lead) + "\n";
	text += "\n" + comparison_text(report) + section_text(terms_section(report));
	for (const PageSection& section : report.sections)
		text += section_text(section);
	for (const std::string& note : bench_notes(report))
		text += "- " + clean_text(note) + "\n";
	return text;
}

std::string bench_html(const BenchReport& report)
{
	Page page;
	page.title = "punctual bench";
	page.eyebrow = "punctual bench";
	if (report.rows.empty()) {
		page.headline = "No arms were run.";
		return html_page(page);
	}
	BenchVerdict verdict = bench_verdict(report);
	page.headline = verdict.headline;
	page.lead = verdict.lead;
	page.tiles = tiles_of(report, verdict);

	PageSection numbers{"All numbers", {}, table_of(report, verdict), {}, {}, bench_notes(report)};
	PageSection load{"Load", {}, {}, {}, report.load, {}};
	PageSection environment{"Environment", {}, {}, {}, report.environment, {}};
	if (!report.command.empty())
		load.facts.push_back({"made by", report.command});
	page.sections = {latency_section(report, verdict), cost_section(report, verdict), numbers};
	if (!report.comparisons.empty())
		page.sections.push_back(
		    {title_of_comparisons(report), {}, comparison_table(report), {}, {}, comparison_notes(report)});
	if (PageSection terms = terms_section(report); !terms.table->rows.empty())
		page.sections.push_back(std::move(terms));
	page.sections.insert(page.sections.end(), report.sections.begin(), report.sections.end());
	for (const PageSection& facts : {load, environment})
		if (!facts.facts.empty())
			page.sections.push_back(facts);
	return html_page(page);
}

std::string bench_svg(const BenchReport& report)
{
	return standalone_svg(latency_plot(report, bench_verdict(report)));
}

std::string bench_frontier_svg(const BenchReport& report)
{
	return standalone_svg(cost_plot(report, bench_verdict(report)));
}

}  // namespace punctual
