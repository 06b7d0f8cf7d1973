// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/fd.h"
#include "base/file.h"
#include "scope/partial_cgroups.h"
#include "scope/partial_record.h"
#include "scope/partial_undo.h"
#include "scope/thread_policy.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDirectory = "/run/punctual";
constexpr const char* kRecordFile = "/run/punctual/only.json";
constexpr size_t kRecordBytesMax = 16 << 20;
// A child that was forked and moved elsewhere between two looks is found by a look at the whole machine.
constexpr unsigned kFollowsPerSweep = 50;
constexpr size_t kNamedMax = 20;  // threads that are mentioned; after that nobody reads on

// Held by the process that has changes under way; the kernel lets go of it when that dies.
Result<UniqueFd> try_lock()
{
	if (::mkdir(kDirectory, 0755) != 0 && errno != EEXIST)
		return fail_errno(errno, errno == EACCES || errno == EPERM ? ExitCode::lacking : ExitCode::failed,
				  fmt::format("cannot make {}", kDirectory));
	UniqueFd fd(::open(kDirectory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot open {}", kDirectory));
	if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
		fd.reset();
	return fd;
}

Result<std::optional<PartialRecord>> load_record()
{
	std::error_code error;
	if (!fs::exists(kRecordFile, error))
		return std::nullopt;
	auto text = read_file(kRecordFile, kRecordBytesMax);
	auto record = text ? parse_record(*text) : std::unexpected(text.error());
	if (!record)
		return fail(
		    ExitCode::failed,
		    "{} is damaged ({}) and was left alone: look at what it lists (chrt -p, cpuset files), put that "
		    "back by hand, then remove it",
		    kRecordFile, record.error().what);
	return *record;
}

bool is_alive(const PartialRecord& record)
{
	return start_ticks_of(record.pid) == record.start_ticks;
}

Status remove_record()
{
	if (::unlink(kRecordFile) != 0 && errno != ENOENT)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot remove {}", kRecordFile));
	return {};
}

std::string count(size_t number, std::string_view what)
{
	return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

struct PartialScope::State {
	PartialOptions options;
	PartitionPlan plan;
	UniqueFd lock;
	PartialRecord record;
	bool is_started = false;
	unsigned nr_follows = 0;
	std::set<pid_t> named;  // threads that a note was about
	std::vector<std::string> notes;

	Status save() const { return replace_file(kRecordFile, record_text(record)); }
	Status take_partition();
	Status change_file(const fs::path& path, const std::string& value);
	Status give_cpus(const fs::path& cgroup);
	Status check_partition() const;
	Status send_strays_home(const std::vector<pid_t>& ext, const ThreadsBelow& now) const;
	void learn_inherited(const std::vector<pid_t>& tids);
	Status take_threads(const std::vector<SeenThread>& arrived);
	void note_about(pid_t tid, std::string_view what);
};

void PartialScope::State::note_about(pid_t tid, std::string_view what)
{
	if (named.size() < kNamedMax && named.insert(tid).second)
		notes.push_back(fmt::format("thread {} {}", describe_thread(tid), what));
}

Status PartialScope::State::change_file(const fs::path& path, const std::string& value)
{
	const std::string before = TRY(read_line(path));
	if (before == value)
		return {};
	record.files.push_back({path, before, value});
	TRY(save());
	return write_kernel_file(path, value);
}

Status PartialScope::State::check_partition() const
{
	const std::string fault = partition_fault(options.cpus, cgroup_facts(plan.directory));
	if (fault.empty())
		return {};
	return fail(ExitCode::lacking, "no cpuset partition of CPUs {} in {}: {} (--only needs it)",
		    options.cpus.text(), plan.directory.native(), fault);
}

// In addition to what it may have for itself already.
Status PartialScope::State::give_cpus(const fs::path& cgroup)
{
	const fs::path file = cgroup / "cpuset.cpus.exclusive";
	std::error_code error;
	if (!fs::exists(file, error)) {
		const fs::path controls = cgroup.parent_path() / "cgroup.subtree_control";
		if (auto enabled = write_kernel_file(controls, "+cpuset"); !enabled)
			return fail(ExitCode::lacking,
				    "--only needs the cpuset controller: {} (a cgroup with processes of its own cannot "
				    "hand it on, and cgroup version 1 may have it)",
				    enabled.error().what);
		notes.push_back(fmt::format("cpuset is enabled in {} now, and stays so", controls.native()));
	}
	CpuList cpus = CpuList::parse(TRY(read_line(file))).value_or(CpuList());
	for (int cpu : options.cpus.cpus())
		cpus.add(cpu);
	if (Status changed = change_file(file, cpus.text()); !changed)
		return fail(ExitCode::lacking,
			    "--only: {} (has a neighbour these CPUs for itself? grep . {}/*/cpuset.cpus.exclusive)",
			    changed.error().what, cgroup.parent_path().native());
	return {};
}

Status PartialScope::State::take_partition()
{
	if (plan.exclusive.empty())
		return {};
	for (const fs::path& cgroup : plan.exclusive)
		TRY(give_cpus(cgroup));
	return change_file(plan.directory / "cpuset.cpus.partition", "root");
}

// Of threads that have SCHED_EXT by birth: what they would have had without us is what their maker had.
void PartialScope::State::learn_inherited(const std::vector<pid_t>& tids)
{
	for (pid_t tid : tids) {
		const auto start = start_ticks_of(tid);
		const auto family = family_of(tid);
		if (!start || !family || is_other(record, tid))
			continue;
		int policy = SCHED_OTHER;
		for (pid_t maker : {family->parent, family->process})
			if (auto known = record.threads.find(maker); known != record.threads.end())
				policy = known->second.policy;
		record.threads[tid] = {tid, *start, policy};
	}
}

Status PartialScope::State::take_threads(const std::vector<SeenThread>& arrived)
{
	for (const SeenThread& thread : arrived)
		if (const auto start = start_ticks_of(thread.tid))
			record.threads[thread.tid] = {thread.tid, *start, thread.policy};
	if (!arrived.empty())
		TRY(save());
	for (const SeenThread& thread : arrived) {
		// Refused for a single thread: it is as before, and the others are not worse off for it.
		if (Status set = set_policy(thread.tid, kSchedExt); !set)
			note_about(thread.tid, "stays on the kernel's own scheduler: " + set.error().what);
	}
	return {};
}

Status PartialScope::State::send_strays_home(const std::vector<pid_t>& ext, const ThreadsBelow& now) const
{
	for (pid_t tid : ext) {
		bool is_here = std::ranges::find(now.in_slices, tid, &SeenThread::tid) != now.in_slices.end();
		if (!is_here && !is_other(record, tid))
			TRY(return_thread(record, tid));
	}
	return {};
}

PartialScope::PartialScope(std::unique_ptr<State> state) : state_(std::move(state)) {}
PartialScope::PartialScope(PartialScope&&) noexcept = default;

PartialScope::~PartialScope()
{
	if (state_)
		(void)undo();  // nobody to tell; the record stays when it failed
}

Result<PartialScope> PartialScope::create(const PartialOptions& options)
{
	auto state = std::make_unique<State>();
	state->options = options;
	state->plan = TRY(plan_partition(options.cpus, TRY(partition_facts(options.slices))));
	if (::geteuid() != 0)
		return fail(ExitCode::lacking,
			    "--only changes cgroups and policies, which needs root (sudo punctual ...)");
	state->lock = TRY(try_lock());
	const std::optional<PartialRecord> earlier = TRY(load_record());
	if (!state->lock || earlier)
		return fail(ExitCode::failed,
			    "another `punctual run --only`{} is at work, or left changes behind: stop it, or "
			    "`punctual unload` repairs",
			    earlier ? fmt::format(" (pid {})", earlier->pid) : "");
	const ThreadsBelow now = TRY(threads_below(state->plan.directory, options.slices));
	if (!now.strangers.empty())
		return fail(
		    ExitCode::usage,
		    "the cpuset partition {} has tasks outside of the named slices, e.g. {}, and SCHED_EXT tasks "
		    "starve beside them: name their cgroup with --slice too, or move them out",
		    state->plan.directory.native(), describe_thread(now.strangers.front()));
	state->record.pid = ::getpid();
	state->record.start_ticks = start_ticks_of(::getpid()).value_or(0);
	state->record.slices = options.slices;
	return PartialScope(std::move(state));
}

Status PartialScope::start()
{
	State& state = *state_;
	if (state.is_started)
		return {};
	for (pid_t tid : ext_threads_of_machine())
		state.record.others.push_back({tid, start_ticks_of(tid).value_or(0), kSchedExt});
	TRY(state.save());
	state.is_started = true;
	TRY(state.take_partition());
	TRY(follow());
	state.notes.push_back(fmt::format(
	    "{} below {} under SCHED_EXT, alone on the cpuset partition of CPUs {}; all else "
	    "stays on the kernel's own scheduler",
	    count(state.record.threads.size(), "thread"), state.plan.directory.native(), state.options.cpus.text()));
	return {};
}

Status PartialScope::follow()
{
	State& state = *state_;
	TRY(state.check_partition());
	// The machine first: what is in it and not in the later look at the slices has really left.
	std::vector<pid_t> ext;
	if (++state.nr_follows % kFollowsPerSweep == 0)
		ext = ext_threads_of_machine();
	const ThreadsBelow now = TRY(threads_below(state.plan.directory, state.options.slices));
	const ThreadChanges changes = compare_threads(state.record.threads, now.in_slices);
	for (pid_t tid : changes.left) {
		TRY(return_thread(state.record, tid));
		state.record.threads.erase(tid);
	}
	TRY(state.send_strays_home(ext, now));
	state.learn_inherited(changes.inherited);
	TRY(state.take_threads(changes.arrived));
	for (pid_t tid : changes.real_time)
		state.note_about(tid,
				 "has a real-time or deadline policy: left alone, and ahead of the slices' others");
	for (pid_t tid : now.strangers)
		state.note_about(
		    tid, fmt::format("came to the partition {} without being in a slice: SCHED_EXT tasks starve "
				     "beside it",
				     state.plan.directory.native()));
	return {};
}

Status PartialScope::undo()
{
	State& state = *state_;
	if (!state.is_started)
		return {};
	if (Status undone = undo_record(state.record, Strays::of_machine, &state.notes); !undone)
		return fail(undone.error().code, "{}; `punctual unload` tries again", undone.error().what);
	state.is_started = false;
	return remove_record();
}

std::vector<std::string> PartialScope::take_notes()
{
	return std::exchange(state_->notes, {});
}

Result<std::vector<std::string>> repair_partial_scope()
{
	std::vector<std::string> lines;
	if (!TRY(load_record()))
		return lines;
	if (::geteuid() != 0)
		return fail(ExitCode::lacking,
			    "{} lists changes that a killed `punctual run --only` left; undoing them needs root",
			    kRecordFile);
	const UniqueFd lock = TRY(try_lock());
	const std::optional<PartialRecord> record = TRY(load_record());  // once more: its maker may just have ended
	if (!lock || !record || is_alive(*record))
		return lines;
	const bool is_loaded = read_line("/sys/kernel/sched_ext/state").value_or("") == "enabled";
	TRY(undo_record(*record, is_loaded ? Strays::of_slices : Strays::of_machine, &lines));
	TRY(remove_record());
	lines.push_back(fmt::format("undid what `punctual run --only` (pid {}), which was killed, had changed: {}, {}",
				    record->pid, count(record->threads.size(), "thread"),
				    count(record->files.size(), "cgroup file")));
	return lines;
}

}  // namespace punctual
