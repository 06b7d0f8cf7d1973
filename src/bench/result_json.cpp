// SPDX-License-Identifier: GPL-2.0-only
#include "bench/result_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "bench/side_counts_json.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "punctual.bench";
constexpr int kVersion = 1;

// Members that are written and read alike.
struct Member {
	const char* key;
	uint64_t ArmResult::* value;
};
constexpr Member kMembers[] = {
    {"enable_seq", &ArmResult::enable_seq},
    {"budget_ns", &ArmResult::budget_ns},
    {"offered", &ArmResult::offered},
    {"dropped", &ArmResult::dropped},
    {"window_ns", &ArmResult::window_ns},
    {"sleeps", &ArmResult::sleeps},
    {"background_work", &ArmResult::background_work},
    {"background_batches", &ArmResult::background_batches},
    {"vnf_work_ns", &ArmResult::vnf_work_ns},
    {"background_work_ns", &ArmResult::background_work_ns},
    {"waits", &ArmResult::waits},
    {"waits_missed", &ArmResult::waits_missed},
    {"wait_p999_ns", &ArmResult::wait_p999_ns},
    {"judged_windows", &ArmResult::judged_windows},
    {"infeasible_windows", &ArmResult::infeasible_windows},
    {"vnf_cpu_ns", &ArmResult::vnf_cpu_ns},
    {"background_cpu_ns", &ArmResult::background_cpu_ns},
    {"vnf_voluntary_switches", &ArmResult::vnf_voluntary_switches},
    {"vnf_involuntary_switches", &ArmResult::vnf_involuntary_switches},
    {"background_voluntary_switches", &ArmResult::background_voluntary_switches},
    {"background_involuntary_switches", &ArmResult::background_involuntary_switches},
    {"steal_ns", &ArmResult::steal_ns},
};

Json histogram_json(const Histogram& histogram)
{
	Json buckets = Json::array();
	for (const HistogramBucket& bucket : histogram.buckets())
		buckets.push_back({{"min", bucket.min_ns}, {"max", bucket.max_ns}, {"count", bucket.count}});
	return buckets;
}

Json account_json(PacketAccount account)
{
	Json json = {{"plane", account.plane}};
	for (const auto& [name, value] : account_members(account))
		json[name] = *value;
	json["residue"] = residue(account);
	json["achieved_ratio"] = achieved_ratio(account);
	return json;
}

PacketAccount account_from(const Json& json)
{
	PacketAccount account;
	account.plane = json.at("plane").get<std::string>();
	for (const auto& [name, value] : account_members(account))
		*value = json.at(name).get<uint64_t>();
	return account;
}

Json arm_json(const BenchResult& result, size_t index)
{
	const ArmResult& arm = result.arms[index];
	Json json = {
	    {"name", arm.name},
	    {"scheduler", arm.scheduler},
	    {"p50_ns", arm.latency.quantile_ns(0.5)},
	    {"p99_ns", arm.latency.quantile_ns(0.99)},
	    {"p999_ns", arm.latency.quantile_ns(0.999)},
	    {"max_ns", arm.latency.max_ns()},
	    {"min_ns", arm.latency.min_ns()},
	    {"pdv_ns", arm.latency.quantile_ns(0.999) - arm.latency.min_ns()},  // RFC 8219, section 7.3
	    {"sum_ns", arm.latency.sum_ns()},
	    {"delivered", arm.latency.count()},
	    {"achieved_per_s", std::llround(arm.achieved_per_s())},
	};
	for (const Member& member : kMembers)
		json[member.key] = arm.*member.value;
	if (arm.packets)
		json["packets"] = account_json(*arm.packets);
	json["background_relative"] = background_relative(result, index);
	json["cycle_ns"] = arm.cycle_ns();
	json["context_switches"] = arm.context_switches();
	json["lost"] = arm.offered - arm.dropped - arm.latency.count();  // packets not accounted for
	if (arm.counts)
		json["counters"] = side_counts_json(*arm.counts, arm.latency.count());
	json["histogram"] = histogram_json(arm.latency);
	return json;
}

Result<Histogram> histogram_from(const Json& json)
{
	std::vector<HistogramBucket> buckets;
	for (const Json& bucket : json.at("histogram"))
		buckets.push_back(
		    {bucket.at("min").get<u64>(), bucket.at("max").get<u64>(), bucket.at("count").get<u64>()});
	return Histogram::from_buckets(buckets, json.at("sum_ns").get<u64>());
}

Result<ArmResult> arm_from(const Json& json)
{
	ArmResult arm;
	arm.name = json.at("name").get<std::string>();
	arm.scheduler = json.at("scheduler").get<std::string>();
	for (const Member& member : kMembers)
		arm.*member.value = json.at(member.key).get<uint64_t>();
	if (const auto counts = json.find("counters"); counts != json.end())
		arm.counts = side_counts_from(*counts);
	if (json.contains("packets"))
		arm.packets = account_from(json.at("packets"));
	arm.latency = TRY(histogram_from(json));
	if (arm.offered != arm.dropped + arm.latency.count())
		return fail(ExitCode::failed, "arm '{}' is inconsistent: {} offered, {} dropped, {} in the histogram",
			    arm.name, arm.offered, arm.dropped, arm.latency.count());
	return arm;
}

Result<BenchResult> document_from(const Json& json)
{
	if (json.at("schema") != kSchema || json.at("version") != kVersion)
		return fail(ExitCode::failed, "this is not a {} document of version {}", kSchema, kVersion);
	BenchResult result;
	for (const Json& arm : json.at("arms"))
		result.arms.push_back(TRY(arm_from(arm)));
	for (const auto& [name, value] : json.at("environment").items())
		result.environment.emplace_back(name, value.get<std::string>());
	return result;
}

Json result_json(const BenchResult& result)
{
	Json arms = Json::array();
	for (size_t i = 0; i < result.arms.size(); i++)
		arms.push_back(arm_json(result, i));
	Json environment = Json::object();
	for (const auto& [name, value] : result.environment)
		environment[name] = value;
	return {{"schema", kSchema},
		{"version", kVersion},
		{"arms", std::move(arms)},
		{"environment", std::move(environment)}};
}

Json question_json(const ArmQuestion& question)
{
	Json json = {{"arm", question.arm},
		     {"metric", question.metric},
		     {"primary", question.is_primary},
		     {"verdict", verdict_name(question.judgement.verdict)},
		     {"reason", question.judgement.reason}};
	if (question.change)
		json.update({{"pairs", question.change->nr_pairs},
			     {"ratio", question.change->ratio},
			     {"ratio_low", question.change->ratio_low},
			     {"ratio_high", question.change->ratio_high},
			     {"p", question.change->p},
			     {"p_corrected", question.p}});
	return json;
}

// Names come from files and kernels: what is not UTF-8 is replaced, not thrown at us.
std::string text_of(const Json& document)
{
	return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string bench_to_json(const BenchResult& result)
{
	return text_of(result_json(result));
}

std::string starts_to_json(std::span<const BenchResult> starts, std::span<const ArmQuestion> questions)
{
	Json document = {{"schema", "punctual.bench_starts"},
			 {"version", 1},
			 {"starts", Json::array()},
			 {"questions", Json::array()}};
	for (const BenchResult& start : starts)
		document["starts"].push_back(result_json(start));
	for (const ArmQuestion& question : questions)
		document["questions"].push_back(question_json(question));
	return text_of(document);
}

Result<BenchResult> bench_from_json(std::string_view text)
{
	try {  // the JSON library reports by exception; it stops here
		return document_from(Json::parse(text));
	} catch (const Json::exception& error) {
		return fail(ExitCode::failed, "cannot read the benchmark's figures: {}", error.what());
	}
}

}  // namespace punctual
