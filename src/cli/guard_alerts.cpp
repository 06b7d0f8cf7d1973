// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_alerts.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <nlohmann/json.hpp>
#include <systemd/sd-journal.h>

#include "base/file.h"
#include "view/text.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kHookMax{30};
constexpr std::chrono::seconds kHookEnd{5};
constexpr size_t kFaultFilesMax = 20;
constexpr uintmax_t kFaultBytesMax = 8U << 20;
constexpr size_t kDumpBytesMax = 1U << 20;
// Of all alerts of the guard: `journalctl MESSAGE_ID=...` finds them.
constexpr const char* kMessageId = "MESSAGE_ID=5b6c8e0c1f2d4a9f8f0f7a3e1d9b4c62";

// systemd says which file the journal gave a service as its output.
bool stderr_is_journal()
{
	const char* stream = std::getenv("JOURNAL_STREAM");
	struct stat file = {};
	return stream && ::fstat(STDERR_FILENO, &file) == 0 && fmt::format("{}:{}", file.st_dev, file.st_ino) == stream;
}

int syslog_priority(AlertLevel level)
{
	switch (level) {
	case AlertLevel::info:
		return 6;
	case AlertLevel::warning:
		return 4;
	case AlertLevel::critical:
		break;
	}
	return 2;
}

// Without a journal the library does nothing, and says that it did.
bool send_to_journal(const GuardAlert& alert, const AlertFacts& facts)
{
	const std::vector<std::string> fields = {"MESSAGE=" + clean_text(alert.words),
						 kMessageId,
						 fmt::format("PRIORITY={}", syslog_priority(alert.level)),
						 "SYSLOG_IDENTIFIER=punctual",
						 "PUNCTUAL_SCHEDULER=" + clean_text(facts.scheduler),
						 "PUNCTUAL_EXIT_CLASS=" + facts.exit_class,
						 "PUNCTUAL_CAUSE=" + clean_text(facts.cause),
						 "PUNCTUAL_FAULT_FILE=" + facts.fault_file};
	std::vector<iovec> vectors;
	vectors.reserve(fields.size());
	for (const std::string& field : fields)
		vectors.push_back({const_cast<char*>(field.data()), field.size()});  // it does not write to them
	return sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size())) == 0;
}

std::string utc_text(int64_t realtime_ns)
{
	const auto seconds = static_cast<time_t>(realtime_ns / kSecondNs);
	tm utc = {};
	::gmtime_r(&seconds, &utc);
	char text[32] = "";
	(void)::strftime(text, sizeof(text), "%Y-%m-%dT%H-%M-%S", &utc);
	return fmt::format("{}.{:03}Z", text, realtime_ns / 1'000'000 % 1000);
}

}  // namespace

void tell(const GuardAlert& alert, const AlertFacts& facts)
{
	const bool is_told = send_to_journal(alert, facts);
	if (!is_told || !stderr_is_journal())
		fmt::print(stderr, "guard: {}\n", clean_text(alert.words));
}

std::string alert_json(const GuardAlert& alert, const AlertFacts& facts, int64_t realtime_ns)
{
	const char* level = alert.level == AlertLevel::info      ? "info"
			    : alert.level == AlertLevel::warning ? "warning"
								 : "critical";
	const nlohmann::ordered_json json = {{"schema", "punctual.alert"},
					     {"version", 1},
					     {"at_ns", realtime_ns},
					     {"level", level},
					     {"text", clean_text(alert.words)},
					     {"fell_back", alert.fell_back},
					     {"scheduler", clean_text(facts.scheduler)},
					     {"exit_class", facts.exit_class},
					     {"cause", clean_text(facts.cause)},
					     {"fault_file", facts.fault_file}};
	return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Hook::start(const AlertFacts& facts)
{
	if (argv_.empty())
		return;
	child_.reset();  // which kills one that still runs
	Result<Child> child = Child::spawn(
	    argv_, {.nice = nice_,
		    .environment = {
			"PUNCTUAL_SCHEDULER=" + clean_text(facts.scheduler), "PUNCTUAL_EXIT_CLASS=" + facts.exit_class,
			"PUNCTUAL_CAUSE=" + clean_text(facts.cause), "PUNCTUAL_FAULT_FILE=" + facts.fault_file}});
	if (!child) {
		fmt::print(stderr, "guard: --on-fallback: {}\n", child.error().what);
		return;
	}
	child_.emplace(std::move(*child));
	ends_at_ = std::chrono::steady_clock::now() + kHookMax;
}

void Hook::step()
{
	if (!child_)
		return;
	const auto ended = child_->wait(std::chrono::nanoseconds(0));
	if (ended && !*ended && std::chrono::steady_clock::now() < ends_at_)
		return;
	if (ended && !*ended)
		fmt::print(stderr, "guard: --on-fallback ran for {} s and was killed\n", kHookMax.count());
	else if (ended && **ended != 0)
		fmt::print(stderr, "guard: --on-fallback ended with status {}\n", **ended);
	child_.reset();
}

void Hook::finish()
{
	if (child_)
		(void)child_->wait(kHookEnd);
	step();
}

std::string FaultFolder::keep(int64_t realtime_ns, const AlertFacts& facts, const std::string& dump)
{
	std::error_code error;
	fs::create_directories(directory_, error);
	const fs::path path = directory_ / fmt::format("{}-{}.txt", utc_text(realtime_ns), facts.exit_class);
	const std::string text = fmt::format("scheduler: {}\nclass: {}\ncause: {}\n\n{}", facts.scheduler,
					     facts.exit_class, clean_text(facts.cause), dump.substr(0, kDumpBytesMax));
	if (Status kept = replace_file(path, text); !kept) {
		fmt::print(stderr, "guard: the fault's cause and dump are lost: {}\n", kept.error().what);
		return "";
	}
	remove_old();
	return path.native();
}

// By name, which begins with the time.
void FaultFolder::remove_old() const
{
	std::error_code error;
	std::vector<fs::path> files;
	for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error))
		if (entry->path().extension() == ".txt")
			files.push_back(entry->path());
	std::ranges::sort(files, std::greater());
	uintmax_t bytes = 0;
	for (size_t at = 0; at < files.size(); at++) {
		const uintmax_t size = fs::file_size(files[at], error);
		bytes += error ? 0 : size;
		if (at >= kFaultFilesMax || (at > 0 && bytes > kFaultBytesMax))
			fs::remove(files[at], error);
	}
}

}  // namespace punctual
