// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial_record.h"

#include <sched.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "scope/thread_policy.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::string_view kSchema = "punctual.only";
constexpr int kVersion = 1;
constexpr pid_t kPidMax = 4 << 20;  // PID_MAX_LIMIT of the kernel

Json thread_json(const KnownThread& thread)
{
	return {{"tid", thread.tid}, {"start_ticks", thread.start_ticks}, {"policy", thread.policy}};
}

// Members of the wanted type; a reader says once at the end whether all were there.
class Reader {
 public:
	explicit Reader(const Json& object) : object_(object) {}

	std::string text(const char* key)
	{
		const Json* value = member(key);
		return value && value->is_string() ? value->get<std::string>() : missing(key, std::string());
	}
	uint64_t number(const char* key, uint64_t number_max)
	{
		const Json* value = member(key);
		bool is_good = value && value->is_number_unsigned() && value->get<uint64_t>() <= number_max;
		return is_good ? value->get<uint64_t>() : missing(key, uint64_t{0});
	}
	const Json& array(const char* key)
	{
		static const Json kNone = Json::array();
		const Json* value = member(key);
		if (value && value->is_array())
			return *value;
		missing(key, 0);
		return kNone;
	}
	Status verdict() const
	{
		if (wrong_.empty())
			return {};
		return fail(ExitCode::failed, "'{}' is missing or wrong", wrong_);
	}

 private:
	const Json* member(const char* key) const
	{
		if (!object_.is_object())
			return nullptr;
		auto found = object_.find(key);
		return found == object_.end() ? nullptr : &*found;
	}
	template <typename T>
	T missing(const char* key, T value)
	{
		if (wrong_.empty())
			wrong_ = key;
		return value;
	}

	const Json& object_;
	std::string wrong_;
};

Result<KnownThread> parse_thread(const Json& json)
{
	Reader reader(json);
	KnownThread thread;
	thread.tid = static_cast<pid_t>(reader.number("tid", kPidMax));
	thread.start_ticks = reader.number("start_ticks", UINT64_MAX);
	thread.policy = static_cast<int>(reader.number("policy", kSchedExt));
	TRY(reader.verdict());
	constexpr int kPolicies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, kSchedExt};
	if (thread.tid == 0 || std::ranges::find(kPolicies, thread.policy) == std::end(kPolicies))
		return fail(ExitCode::failed, "thread {} with policy {} cannot be", thread.tid, thread.policy);
	return thread;
}

bool is_plain(const fs::path& path)
{
	return path.is_absolute() && std::ranges::find(path, fs::path("..")) == path.end();
}

Result<FileChange> parse_file(const Json& json)
{
	Reader reader(json);
	FileChange file{reader.text("path"), reader.text("before"), reader.text("during")};
	TRY(reader.verdict());
	const fs::path name = file.path.filename();
	if (!is_plain(file.path) || (name != "cpuset.cpus.exclusive" && name != "cpuset.cpus.partition"))
		return fail(ExitCode::failed, "file '{}' is none that --only changes", file.path.native());
	return file;
}

}  // namespace

std::string record_text(const PartialRecord& record)
{
	Json json = {{"schema", kSchema},        {"version", kVersion},
		     {"pid", record.pid},        {"start_ticks", record.start_ticks},
		     {"slices", Json::array()},  {"files", Json::array()},
		     {"threads", Json::array()}, {"others", Json::array()}};
	for (const fs::path& slice : record.slices)
		json["slices"].push_back(slice.native());
	for (const FileChange& file : record.files)
		json["files"].push_back(
		    {{"path", file.path.native()}, {"before", file.before}, {"during", file.during}});
	for (const auto& [tid, thread] : record.threads)
		json["threads"].push_back(thread_json(thread));
	for (const KnownThread& thread : record.others)
		json["others"].push_back(thread_json(thread));
	// File names need not be UTF-8; nothing may throw for that.
	return json.dump(1, '\t', false, Json::error_handler_t::replace) + "\n";
}

Result<PartialRecord> parse_record(std::string_view text)
{
	const Json json = Json::parse(text, nullptr, false);
	if (json.is_discarded())
		return fail(ExitCode::failed, "it is not JSON");
	Reader reader(json);
	if (std::string schema = reader.text("schema"); schema != kSchema)
		return fail(ExitCode::failed, "its schema is not {}", kSchema);
	if (reader.number("version", UINT64_MAX) != kVersion)
		return fail(ExitCode::failed, "it was written by another version of punctual");
	PartialRecord record;
	record.pid = static_cast<pid_t>(reader.number("pid", kPidMax));
	record.start_ticks = reader.number("start_ticks", UINT64_MAX);
	for (const Json& slice : reader.array("slices")) {
		if (!slice.is_string() || !is_plain(slice.get<std::string>()))
			return fail(ExitCode::failed, "a slice is no absolute path");
		record.slices.emplace_back(slice.get<std::string>());
	}
	for (const Json& file : reader.array("files"))
		record.files.push_back(TRY(parse_file(file)));
	for (const Json& json_thread : reader.array("threads")) {
		KnownThread thread = TRY(parse_thread(json_thread));
		record.threads[thread.tid] = thread;
	}
	for (const Json& thread : reader.array("others"))
		record.others.push_back(TRY(parse_thread(thread)));
	TRY(reader.verdict());
	if (record.pid == 0)
		return fail(ExitCode::failed, "'pid' is 0");
	return record;
}

}  // namespace punctual
