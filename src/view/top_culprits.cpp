// SPDX-License-Identifier: GPL-2.0-only
// The culprit matrix: who ran while whose tasks waited for the same CPU. A row is a victim, a column a culprit, a
// cell the share of the victim's waiting during which the culprit ran.
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "view/number.h"
#include "view/text.h"
#include "view/top_panel.h"
#include "view/top_words.h"

namespace punctual {
namespace {

constexpr size_t kCulpritsMax = 64;  // columns; the rest of the culprits is one more
constexpr size_t kNamedMax = 3;      // in the line about a victim
constexpr int kShareWidth = 11;

using Shares = std::map<u64, u64>;  // ns that each culprit ran

struct Matrix {
	std::map<u64, Shares> victims;
	std::vector<u64> culprits;  // the worst first
};

Matrix matrix_of(const std::vector<Culprit>& culprits)
{
	Matrix matrix;
	Shares total;
	for (const Culprit& culprit : culprits) {
		if (culprit.ran_ns == 0)
			continue;
		matrix.victims[culprit.victim_id][culprit.culprit_id] += culprit.ran_ns;
		total[culprit.culprit_id] += culprit.ran_ns;
	}
	for (const auto& [id, ran_ns] : total)
		matrix.culprits.push_back(id);
	std::ranges::sort(matrix.culprits, std::ranges::greater(), [&](u64 id) { return std::pair(total[id], id); });
	return matrix;
}

// Waits end after what ran meanwhile was added up, so neither sum is always the larger.
u64 waited_ns(const WaitSnapshot& waits, u64 victim, const Shares& shares)
{
	u64 ran_ns = 0;
	for (const auto& [id, ns] : shares)
		ran_ns += ns;
	const CgroupWaits* cgroup = waits.cgroup(victim);
	return std::max(ran_ns, cgroup != nullptr ? cgroup->waits.sum_ns : 0);
}

PanelCell share_cell(u64 ran_ns, u64 whole_ns, bool is_own)
{
	if (ran_ns == 0)
		return {".", 0, Ink::faint};
	const double share = static_cast<double>(ran_ns) / static_cast<double>(whole_ns);
	const Ink ink = is_own ? Ink::plain : share >= 0.5 ? Ink::bad : share >= 0.1 ? Ink::accent : Ink::plain;
	return {percent_text(ran_ns, whole_ns) + "%", share, ink};
}

std::string worst_of(const WaitSnapshot& waits, const Shares& shares, u64 whole_ns)
{
	std::vector<std::pair<u64, u64>> worst;
	for (const auto& [id, ran_ns] : shares)
		worst.emplace_back(ran_ns, id);
	std::ranges::sort(worst, std::ranges::greater());
	std::string text;
	for (size_t i = 0; i < worst.size() && i < kNamedMax; i++)
		text += fmt::format("{}{} {}%", i == 0 ? " waited for " : ", ",
				    short_cgroup(cgroup_path(waits, worst[i].second)),
				    percent_text(worst[i].first, whole_ns));
	return text;
}

PanelRow row_of(const WaitSnapshot& waits, u64 victim, const Matrix& matrix, size_t nr_columns)
{
	const Shares& shares = matrix.victims.at(victim);
	const u64 whole_ns = waited_ns(waits, victim, shares);
	PanelRow row;
	row.name = cgroup_path(waits, victim);
	row.detail = short_cgroup(row.name) + worst_of(waits, shares, whole_ns);
	row.cells.push_back(wait_cell(whole_ns));
	u64 rest_ns = 0;
	for (size_t i = 0; i < matrix.culprits.size(); i++) {
		const auto found = shares.find(matrix.culprits[i]);
		const u64 ran_ns = found == shares.end() ? 0 : found->second;
		if (i < nr_columns)
			row.cells.push_back(share_cell(ran_ns, whole_ns, matrix.culprits[i] == victim));
		else
			rest_ns += ran_ns;
	}
	if (matrix.culprits.size() > nr_columns)
		row.cells.push_back(share_cell(rest_ns, whole_ns, true));
	return row;
}

}  // namespace

Panel culprit_panel(const TopFacts& facts)
{
	Panel panel{
	    {{"victim \\ ran meanwhile", 22}, {"waited us", 11}}, {}, 2, "nobody waited while another task ran"};
	const Matrix matrix = matrix_of(facts.waits.culprits);
	const size_t nr_columns = std::min(matrix.culprits.size(), kCulpritsMax);
	for (size_t i = 0; i < nr_columns; i++) {
		const std::string name = clean_text(short_cgroup(cgroup_path(facts.waits, matrix.culprits[i])));
		panel.columns.push_back({shortened(name, kShareWidth), kShareWidth});
	}
	if (matrix.culprits.size() > nr_columns)
		panel.columns.push_back({"(the rest)", kShareWidth});
	for (const auto& [victim, shares] : matrix.victims)
		panel.rows.push_back(row_of(facts.waits, victim, matrix, nr_columns));
	return panel;
}

}  // namespace punctual
