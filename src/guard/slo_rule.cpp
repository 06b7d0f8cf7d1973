// SPDX-License-Identifier: GPL-2.0-only
#include "guard/slo_rule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/rule_words.h"
#include "base/units.h"

namespace punctual {
namespace {

constexpr int64_t kMendedNs = 10'000'000'000;  // a warning that comes and goes is said once in so long
constexpr Nanoseconds kForMax = std::chrono::hours(24);
constexpr std::string_view kChoices = "p50(CGROUP), p99(CGROUP), p99.9(CGROUP), miss(CGROUP), normal or starved";

enum class LimitKind { time, share, count };

struct MetricWords {
	std::string_view name;
	SloMetric metric;
	LimitKind limit;
	bool has_cgroup;
};
constexpr std::array<MetricWords, 6> kMetrics = {{
    {"p50", SloMetric::p50, LimitKind::time, true},
    {"p99", SloMetric::p99, LimitKind::time, true},
    {"p99.9", SloMetric::p999, LimitKind::time, true},
    {"miss", SloMetric::miss, LimitKind::share, true},
    {"normal", SloMetric::normal, LimitKind::share, false},
    {"starved", SloMetric::starved, LimitKind::count, false},
}};

std::unexpected<Error> wrong(const RuleWord& word, std::string_view what)
{
	if (word.text.empty())
		return fail(ExitCode::usage, "--slo: the rule ends at position {}: {}", word.at, what);
	return fail(ExitCode::usage, "--slo, position {}: '{}' {}", word.at, word.text, what);
}

Result<const MetricWords*> read_metric(const RuleWord& word, SloRule* rule)
{
	if (word.text.empty())
		return wrong(word, fmt::format("a measure is missing ({})", kChoices));
	const size_t open = word.text.find('(');
	const auto* metric = std::ranges::find(kMetrics, word.text.substr(0, open), &MetricWords::name);
	if (metric == kMetrics.end())
		return wrong(word, fmt::format("is no measure (choose from {})", kChoices));
	if (metric->has_cgroup != (open != std::string_view::npos))
		return wrong(word, metric->has_cgroup ? "needs a cgroup with a budget, such as p99(vnf.slice)"
						      : "is of the whole machine and takes no cgroup");
	if (metric->has_cgroup) {
		if (!word.text.ends_with(')') || word.text.size() < open + 3)
			return wrong(word, "needs a cgroup between ( and ), without blanks");
		rule->cgroup = word.text.substr(open + 1, word.text.size() - open - 2);
	}
	rule->metric = metric->metric;
	return metric;
}

// A bare number would be seconds, and nobody means that here.
std::optional<Nanoseconds> time_with_unit(std::string_view text)
{
	const bool has_unit = !text.empty() && text.back() >= 'a' && text.back() <= 'z';
	const Result<Nanoseconds> time = parse_duration(text);
	return has_unit && time && time->count() > 0 ? std::optional(*time) : std::nullopt;
}

Status read_limit(const RuleWord& word, LimitKind kind, SloRule* rule)
{
	if (word.text.empty())
		return wrong(word, "a limit is missing (such as 100us, 1% or 0)");
	switch (kind) {
	case LimitKind::time:
		if (const auto time = time_with_unit(word.text)) {
			rule->limit = static_cast<double>(time->count());
			return {};
		}
		return wrong(word, "is no limit (write a time, such as 100us)");
	case LimitKind::share:
		if (const auto percent = number_before(word.text, "%"); percent && *percent >= 0 && *percent <= 100) {
			rule->limit = *percent / 100;
			return {};
		}
		return wrong(word, "is no limit (write 0% to 100%)");
	case LimitKind::count:
		break;
	}
	uint32_t count = 0;
	const auto [end, error] = std::from_chars(word.text.data(), word.text.data() + word.text.size(), count);
	if (error != std::errc() || end != word.text.data() + word.text.size())
		return wrong(word, "is no limit (write a whole number, such as 0)");
	rule->limit = count;
	return {};
}

std::string value_words(SloMetric metric, double value)
{
	if (metric == SloMetric::starved)
		return fmt::format("{:.0f}", value);
	if (metric == SloMetric::miss || metric == SloMetric::normal)
		return fmt::format("{:.3g}%", 100 * value);
	return value < 1e6 ? fmt::format("{:.1f}us", value / 1e3) : fmt::format("{:.2f}ms", value / 1e6);
}

}  // namespace

Result<SloRule> parse_slo_rule(std::string_view text)
{
	const std::vector<RuleWord> words = rule_words(text);
	const RuleWord end{text.size() + 1, {}};
	const auto word_at = [&](size_t at) { return at < words.size() ? words[at] : end; };
	SloRule rule;
	rule.text = text;
	const MetricWords& metric = *TRY(read_metric(word_at(0), &rule));
	const std::string_view sign = rule.metric == SloMetric::normal ? "<" : ">";
	if (word_at(1).text != sign)
		return wrong(word_at(1), fmt::format("{} is compared by {}", metric.name, sign));
	TRY(read_limit(word_at(2), metric.limit, &rule));
	size_t at = 3;
	if (word_at(at).text == "for") {
		const auto time = time_with_unit(word_at(at + 1).text);
		if (!time || *time > kForMax)
			return wrong(word_at(at + 1), "a time comes after \"for\", such as 10s, at most 24h");
		rule.for_ns = time->count();
		at += 2;
	}
	if (word_at(at).text == "then") {
		const std::string_view action = word_at(at + 1).text;
		if (action != "warn" && action != "fallback")
			return wrong(word_at(at + 1), "\"warn\" or \"fallback\" comes after \"then\"");
		rule.falls_back = action == "fallback";
		at += 2;
	}
	if (!word_at(at).text.empty())
		return wrong(word_at(at),
			     "does not belong here (\"for TIME\" and then \"then warn\" or \"then "
			     "fallback\" may follow the limit)");
	return rule;
}

std::optional<double> slo_value(const SloRule& rule, const SloSample& sample)
{
	if (rule.metric == SloMetric::normal)
		return sample.normal_share;
	if (rule.metric == SloMetric::starved)
		return sample.nr_starved ? std::optional(static_cast<double>(*sample.nr_starved)) : std::nullopt;
	const auto found = std::ranges::find(sample.classes, rule.cgroup, &SloClass::cgroup);
	if (found == sample.classes.end() || found->nr_waits == 0)
		return std::nullopt;
	switch (rule.metric) {
	case SloMetric::p50:
		return static_cast<double>(found->p50_ns);
	case SloMetric::p99:
		return static_cast<double>(found->p99_ns);
	case SloMetric::p999:
		return static_cast<double>(found->p999_ns);
	default:
		return static_cast<double>(found->nr_missed) / static_cast<double>(found->nr_waits);
	}
}

std::vector<SloChange> SloWatch::step(const SloSample& sample)
{
	std::vector<SloChange> changes;
	changes.reserve(rules_.size());
	for (size_t at = 0; at < rules_.size(); at++) {
		const SloRule& rule = rules_[at];
		Watched& watched = watched_[at];
		const std::optional<double> value = slo_value(rule, sample);
		const bool is_bad =
		    value && (rule.metric == SloMetric::normal ? *value < rule.limit : *value > rule.limit);
		auto& since = is_bad ? watched.bad_since_ns : watched.good_since_ns;
		(is_bad ? watched.good_since_ns : watched.bad_since_ns).reset();
		if (!since)
			since = sample.at_ns;
		const int64_t lasted_ns = sample.at_ns - *since;
		if (is_bad && !watched.is_broken && lasted_ns >= rule.for_ns) {
			watched.is_broken = true;
			changes.push_back(
			    {true, rule.falls_back,
			     fmt::format("rule \"{}\" is broken: {}", rule.text, value_words(rule.metric, *value))});
		} else if (!is_bad && watched.is_broken && lasted_ns >= kMendedNs) {
			watched.is_broken = false;
			changes.push_back(
			    {false, rule.falls_back, fmt::format("rule \"{}\" is kept again", rule.text)});
		}
	}
	return changes;
}

}  // namespace punctual
