// SPDX-License-Identifier: GPL-2.0-only
#include "sim/replay.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <numeric>

#include "policy/cap.h"
#include "policy/decision.h"
#include "policy/floor.h"
#include "policy/latency.h"
#include "policy/reserve.h"
#include "policy/resume.h"
#include "policy/vtime.h"

namespace punctual::sim {
namespace {

using Facts = u64[DECISION_FACTS_MAX];
using Answers = std::array<u64, DECISION_ANSWERS_MAX>;

template <typename Record>
Record record_at(std::span<const std::byte> bytes)
{
	Record record;
	std::memcpy(&record, bytes.data(), sizeof(record));  // a file has no alignment
	return record;
}

// ---- a few numbers: how to ask, and what they are called ----

struct NumberQuestion {
	decision_kind kind;
	std::string_view name;
	std::array<const char*, DECISION_FACTS_MAX> facts;
	std::array<const char*, DECISION_ANSWERS_MAX> answers;
	Answers (*ask)(const Facts&);
};

constexpr NumberQuestion kNumberQuestions[] = {
    {DECISION_RESUME,
     "resume_ns",
     {"turn_ran_ns", "turn_ns", "turn_ns_min", "in_turn", "pinned", "others_first"},
     {"rest_ns"},
     [](const Facts& f) {
	     const resume_facts facts = {f[0], f[1], f[2], f[3] != 0, f[4] != 0, f[5] != 0, {}};
	     return Answers{resume_ns(&facts)};
     }},
    {DECISION_RESERVE_AFTER,
     "reserve_after",
     {"reserve_ns", "late_ns", "reserve_ns_max"},
     {"reserve_ns"},
     [](const Facts& f) { return Answers{reserve_after(f[0], f[1], f[2])}; }},
    {DECISION_FLOOR_AFTER_BUDGETED,
     "floor_after_budgeted",
     {"owed_ns", "ran_ns", "owed_ns_max", "ran_ns_max", "rate"},
     {"owed_ns"},
     [](const Facts& f) {
	     const floor_tunables tunables = {0, f[2], f[3], f[4]};
	     return Answers{floor_after_budgeted(f[0], f[1], &tunables)};
     }},
    {DECISION_FLOOR_AFTER_NORMAL,
     "floor_after_normal",
     {"owed_ns", "ran_ns"},
     {"owed_ns"},
     [](const Facts& f) { return Answers{floor_after_normal(f[0], f[1])}; }},
    {DECISION_FLOOR_IS_DUE,
     "floor_is_due",
     {"owed_ns", "is_paying", "grain_ns"},
     {"is_due"},
     [](const Facts& f) {
	     const floor_tunables tunables = {f[2], 0, 0, 0};
	     return Answers{floor_is_due(f[0], f[1] != 0, &tunables)};
     }},
    {DECISION_FLOOR_WAITS_FOR,
     "floor_waits_for",
     {"key", "owed_ns", "grain_ns"},
     {"waits"},
     [](const Facts& f) {
	     const floor_tunables tunables = {f[2], 0, 0, 0};
	     return Answers{floor_waits_for(f[0], f[1], &tunables)};
     }},
    {DECISION_CAP_AT,
     "cap_at",
     {"period_at_ns", "used_ns", "now_ns", "quota_ns", "period_ns"},
     {"period_at_ns", "used_ns"},
     [](const Facts& f) {
	     const cap_account account = cap_at({f[0], f[1]}, f[2], f[3], f[4]);
	     return Answers{account.period_at_ns, account.used_ns};
     }},
    {DECISION_OVER_CAP,
     "over_cap",
     {"period_at_ns", "used_ns", "quota_ns"},
     {"is_over"},
     [](const Facts& f) { return Answers{over_cap({f[0], f[1]}, f[2])}; }},
    {DECISION_VTIME_ON_JOIN,
     "vtime_on_join",
     {"vtime", "clock", "credit_ns_max", "debt_ns_max"},
     {"vtime"},
     [](const Facts& f) {
	     const vtime_limits limits = {f[2], f[3]};
	     return Answers{vtime_on_join(f[0], f[1], &limits)};
     }},
    {DECISION_SAFE_FOR_BOTH,
     "safe_for_both_ns",
     {"now_ns", "key", "other_key", "reserve_ns", "burst_ns", "kept_until_ns"},
     {"at_ns"},
     [](const Facts& f) { return Answers{safe_for_both_ns(f[0], f[1], f[2], f[3], f[4], f[5])}; }},
    {DECISION_MAY_GATHER,
     "may_gather",
     {"from_ns", "key", "several_wait", "reserve_ns", "slack_ns_min", "burst_ns"},
     {"gathers"},
     [](const Facts& f) {
	     latency_tunables tunables{};
	     tunables.reserve_ns = f[3];
	     tunables.slack_ns_min = f[4];
	     tunables.burst_ns = f[5];
	     return Answers{may_gather(f[0], f[1], f[2] != 0, &tunables)};
     }},
    {DECISION_MAY_GO_ON,
     "may_go_on",
     {"now_ns", "ran_ns", "key"},
     {"goes_on"},
     [](const Facts& f) { return Answers{may_go_on(f[0], f[1], f[2])}; }},
};

const NumberQuestion* number_question(u32 kind)
{
	const auto* question = std::ranges::find(kNumberQuestions, kind, &NumberQuestion::kind);
	return question == std::end(kNumberQuestions) ? nullptr : question;
}

std::string words(std::span<const char* const> names, std::span<const u64> values)
{
	std::string text;
	for (size_t i = 0; i < names.size() && names[i]; i++)
		text += fmt::format("{}{} {}", i ? ", " : "", names[i], values[i]);
	return text;
}

// Each of these returns what differs, in words; "" when nothing does.
std::string ask_again(const number_record& record, const NumberQuestion& question)
{
	const Answers here = question.ask(record.facts);
	if (std::ranges::equal(here, record.answers))
		return "";
	return fmt::format("{} there, {} here, for {}", words(question.answers, record.answers),
			   words(question.answers, here), words(question.facts, record.facts));
}

// ---- placement and looks ----

std::string words(const running_facts& running)
{
	static constexpr const char* kKinds[] = {"nothing", "a normal task", "a kernel thread", "a budgeted task",
						 "an arriving task"};
	return fmt::format("running {} (deadline_ns {}, budget_ns {}, kept_until_ns {}, turn_until_ns {})",
			   running.kind < std::size(kKinds) ? kKinds[running.kind] : "what nobody knows",
			   running.deadline_ns, running.budget_ns, running.kept_until_ns, running.turn_until_ns);
}

std::string words(const latency_tunables& tunables)
{
	return fmt::format(
	    "reserve_ns {}, burst_ns {}, turn_ns {}, slack_ns_min {}, kthread_budget_ns {}, "
	    "hysteresis_ns {}",
	    tunables.reserve_ns, tunables.burst_ns, tunables.turn_ns, tunables.slack_ns_min, tunables.kthread_budget_ns,
	    tunables.hysteresis_ns);
}

std::string words(const place_decision& decision)
{
	static constexpr const char* kPlaces[] = {"local", "local, preempt", "local, last", "latency queue",
						  "normal queue"};
	return fmt::format("{} (deadline_ns {}, key {}, preempt_at_ns {})",
			   decision.place < std::size(kPlaces) ? kPlaces[decision.place] : "nowhere",
			   decision.deadline_ns, decision.key, decision.preempt_at_ns);
}

std::string ask_again(const place_record& record)
{
	const place_decision here = place_task(&record.facts, &record.tunables);
	const place_decision& there = record.decision;
	if (here.place == there.place && here.deadline_ns == there.deadline_ns && here.key == there.key &&
	    here.preempt_at_ns == there.preempt_at_ns)
		return "";
	const place_facts& facts = record.facts;
	return fmt::format("{} there, {} here, for now_ns {}, budget_ns {}, deadline_ns {}, ran_ns {}, {}{}{}; {}",
			   words(there), words(here), facts.now_ns, facts.budget_ns, facts.deadline_ns, facts.ran_ns,
			   facts.woken ? "woken, " : "preempted, ", facts.bound_kthread ? "bound kernel thread, " : "",
			   words(facts.running), words(record.tunables));
}

std::string ask_again(const look_record& record)
{
	const u64 here = look_answer(&record, record.head.kind);
	if (here == record.answer)
		return "";
	return fmt::format("{} there, {} here, for now_ns {}, {} {}, {}; {}", record.answer, here, record.now_ns,
			   record.head.kind == DECISION_RETRY_LOOK ? "retry_ns" : "key", record.about_ns,
			   words(record.running), words(record.tunables));
}

// ---- a file ----

u32 bytes_of_kind(u32 kind)
{
	if (kind == DECISION_END)
		return sizeof(decision_end);
	if (kind == DECISION_PLACE)
		return sizeof(place_record);
	return number_question(kind) ? sizeof(number_record) : sizeof(look_record);
}

// What would be undefined here, though no scheduler of ours writes it: a bool that is neither, a period of nothing.
bool is_possible(u32 kind, std::span<const std::byte> bytes)
{
	if (kind == DECISION_CAP_AT)
		return record_at<number_record>(bytes).facts[4] != 0;
	if (kind != DECISION_PLACE)
		return true;
	return std::ranges::all_of(
	    std::initializer_list{offsetof(place_facts, woken), offsetof(place_facts, bound_kthread)},
	    [&](size_t offset) { return bytes[offsetof(place_record, facts) + offset] <= std::byte{1}; });
}

std::string ask_again(u32 kind, std::span<const std::byte> bytes)
{
	if (kind == DECISION_PLACE)
		return ask_again(record_at<place_record>(bytes));
	if (const NumberQuestion* question = number_question(kind))
		return ask_again(record_at<number_record>(bytes), *question);
	return ask_again(record_at<look_record>(bytes));
}

void take_record(const decision_head& head, std::span<const std::byte> bytes, ReplayReport* report)
{
	report->nr_records[head.kind]++;
	report->is_cut = head.kind != DECISION_END;
	if (head.kind == DECISION_END) {
		const auto end = record_at<decision_end>(bytes);
		report->nr_lost += end.nr_lost;
		report->nr_left_out = end.nr_left_out;  // of the whole file so far
		return;
	}
	const std::string difference = ask_again(head.kind, bytes);
	if (difference.empty())
		return;
	if (report->nr_differing++ == 0)
		report->first_difference = fmt::format("decision {} ({} on CPU {}): {}", report->nr_decisions(),
						       decision_name(head.kind), head.cpu, difference);
}

Result<ReplayReport> read_head(std::span<const std::byte> recording)
{
	if (recording.size() < sizeof(decision_file_head) ||
	    std::memcmp(recording.data(), DECISION_MAGIC, sizeof(DECISION_MAGIC)) != 0)
		return fail(ExitCode::usage,
			    "not a recording of decisions; `punctual run scx_latency --record-decisions FILE` makes "
			    "one");
	auto head = record_at<decision_file_head>(recording);
	if (head.version != DECISION_VERSION)
		return fail(ExitCode::usage,
			    "a recording of version {}, and this program reads version {}: replay it with the program "
			    "that recorded it, or record anew",
			    head.version, DECISION_VERSION);
	head.kernel[sizeof(head.kernel) - 1] = '\0';
	ReplayReport report;
	report.kernel = head.kernel;
	report.is_cut = true;
	return report;
}

}  // namespace

u64 ReplayReport::nr_decisions() const
{
	return std::accumulate(nr_records.begin() + DECISION_END + 1, nr_records.end(), u64{0});
}

std::string_view decision_name(u32 kind)
{
	static constexpr std::string_view kOthers[] = {
	    "", "place_task", "may_preempt", "look_again_ns", "look_at_start_ns", "may_run_until_ns", "retry_look_ns"};
	const NumberQuestion* question = number_question(kind);
	return question ? question->name : kOthers[kind];
}

Result<ReplayReport> replay(std::span<const std::byte> recording)
{
	ReplayReport report = TRY(read_head(recording));
	std::span<const std::byte> rest = recording.subspan(sizeof(decision_file_head));
	while (rest.size() >= sizeof(decision_head)) {
		const auto head = record_at<decision_head>(rest);
		const bool is_known = head.kind < DECISION_KINDS && head.bytes == bytes_of_kind(head.kind);
		if (is_known && rest.size() < head.bytes)
			break;
		if (!is_known || !is_possible(head.kind, rest))
			return fail(ExitCode::usage,
				    "damaged: no record of ours begins at byte {} (kind {}, {} bytes); {} decisions "
				    "before it are whole",
				    recording.size() - rest.size(), static_cast<u32>(head.kind), head.bytes,
				    report.nr_decisions());
		take_record(head, rest.first(head.bytes), &report);
		rest = rest.subspan(head.bytes);
	}
	report.is_cut |= !rest.empty();
	return report;
}

}  // namespace punctual::sim
