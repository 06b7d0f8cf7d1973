// SPDX-License-Identifier: GPL-2.0-only
#include "object/scheduler.h"

#include <linux/bpf.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi/exit.h"
#include "abi/sched.h"
#include "base/cgroup.h"
#include "base/file.h"
#include "base/kernel_choice.h"
#include "object/builtin.h"
#include "object/class_waits.h"
#include "object/kernel_types.h"
#include "object/libbpf_log.h"
#include "object/open.h"
#include "object/prepare.h"
#include "object/trial.h"
#include "object/variables.h"

namespace punctual {
namespace {

constexpr std::chrono::milliseconds kStateWait{10000};  // for the kernel to finish enabling or disabling
constexpr std::chrono::milliseconds kStatePoll{10};
constexpr std::chrono::seconds kLoadLimit{300};  // the verifier takes a minute for a large one on a slow machine
constexpr int kAttemptsMax = 10;                 // when CPUs come and go while we attach

struct LinkDestroy {
	void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using LinkPtr = std::unique_ptr<bpf_link, LinkDestroy>;

std::string sched_ext_file(const char* name)
{
	return read_line(std::string("/sys/kernel/sched_ext/") + name).value_or("");
}

std::unexpected<Error> busy(std::string_view sched)
{
	return fail(ExitCode::failed,
		    "cannot attach {}: another scheduler is active ({}); `punctual unload` detaches it", sched,
		    sched_ext_file("root/ops"));
}

Status check_machine(std::string_view sched)
{
	std::string state = sched_ext_file("state");
	if (state.empty())
		return fail(
		    ExitCode::lacking,
		    "this kernel has no sched_ext (no /sys/kernel/sched_ext); Debian kernels have it from 6.16 on "
		    "(trixie-backports), and `punctual lab` boots one in QEMU");
	if (geteuid() != 0)
		return fail(ExitCode::lacking, "loading a scheduler needs root (sudo punctual ...)");
	TRY(check_bpf_may_read());
	if (state == "enabled")  // attaching would find out too, after the work of loading
		return busy(sched);
	return {};
}

std::unexpected<Error> load_error(int error, std::string_view sched, std::string_view name, const LibbpfLog& log)
{
	if (error == EPERM)
		return fail(ExitCode::lacking, "cannot load {}: not permitted; run as root", sched);
	return fail(ExitCode::failed, "cannot load {}: {}; the verifier's log is in {}", sched, std::strerror(error),
		    log.keep(name));
}

std::unexpected<Error> attach_error(int error, std::string_view sched)
{
	if (error == EBUSY)
		return busy(sched);
	std::string cmdline = read_line("/proc/cmdline").value_or("");
	if (error == EINVAL && cmdline.find("isolcpus=") != std::string::npos)
		return fail(ExitCode::lacking,
			    "cannot attach {}: the kernel was booted with isolcpus=, which sched_ext refuses; use a "
			    "cpuset partition instead",
			    sched);
	return fail(ExitCode::failed, "cannot attach {}: {} (the kernel log says more: dmesg | tail)", sched,
		    std::strerror(error));
}

uint32_t id_of(const bpf_program* program)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);
	int fd = bpf_program__fd(program);
	return fd >= 0 && bpf_prog_get_info_by_fd(fd, &info, &length) == 0 ? info.id : 0;
}

ExitReport report_of(const user_exit_info& record)
{
	ExitReport report;
	report.kind = record.kind;
	report.code = record.exit_code;
	report.reason = record.kind ? record.reason : "no exit record in this object";
	report.message = record.msg;
	return report;
}

}  // namespace

struct Scheduler::State {
	ObjectPtr object;
	bpf_map* ops = nullptr;
	std::vector<LinkPtr> tracing;  // other programs of a foreign object
	LinkPtr link;                  // closing it is the fallback to EEVDF
	std::string name;
	uint32_t program_id = 0;
	std::string enable_seq;
	std::vector<std::string> notes;
	bpf_map* record_map = nullptr;  // the map that holds the exit record, if the object has one
	uint32_t record_offset = 0;
	std::string record_name;
	std::optional<BudgetTable> budgets;
	std::optional<DecisionRing> decisions;

	void find_record(const Variables& variables);
	Status load(std::string_view sched, const SchedulerOptions& options);
	Status fill_budgets(const std::vector<Budget>& wanted);
	Status attach(std::string_view sched);
	bool verify();
	std::unexpected<Error> refusal(std::string_view sched) const;
	user_exit_info read_record() const;
	std::string keep_dump() const;
	bool wait_for_enabled() const;
	void wait_for_end() const;
};

user_exit_info Scheduler::State::read_record() const
{
	user_exit_info record = {};
	if (!record_map)
		return record;
	std::vector<char> value(bpf_map__value_size(record_map));
	uint32_t zero = 0;
	if (bpf_map_lookup_elem(bpf_map__fd(record_map), &zero, value.data()) == 0 &&
	    record_offset + sizeof(record) <= value.size())
		std::memcpy(&record, value.data() + record_offset, sizeof(record));
	record.reason[sizeof(record.reason) - 1] = record.msg[sizeof(record.msg) - 1] = '\0';
	return record;
}

// Keeps the kernel's dump of a fault in a file; returns its path, or "" when there is none.
std::string Scheduler::State::keep_dump() const
{
	bpf_map* map = record_map
			   ? bpf_object__find_map_by_name(object.get(), (".data." + record_name + "_dump").c_str())
			   : nullptr;
	if (!map)
		return "";
	std::string text(bpf_map__value_size(map), '\0');
	uint32_t zero = 0;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &zero, text.data()) != 0)
		return "";
	text.resize(strnlen(text.data(), text.size()));
	if (text.empty())
		return "";
	const char* directory = "/var/lib/punctual";
	if (mkdir(directory, 0750) != 0 && errno != EEXIST)
		directory = "/tmp";
	std::string path = fmt::format("{}/{}-{}.dump", directory, name, getpid());
	return replace_file(path, text) ? path : "";
}

// Until the kernel is done with it; another scheduler may already follow.
void Scheduler::State::wait_for_end() const
{
	for (auto waited = std::chrono::milliseconds(0); waited < kStateWait; waited += kStatePoll) {
		if (sched_ext_file("state") == "disabled" || sched_ext_file("enable_seq") != enable_seq)
			return;
		poll(nullptr, 0, static_cast<int>(kStatePoll.count()));
	}
}

bool Scheduler::State::wait_for_enabled() const
{
	for (auto waited = std::chrono::milliseconds(0); waited < kStateWait; waited += kStatePoll) {
		std::string state = sched_ext_file("state");
		if (state == "enabled" || state == "disabled")
			return state == "enabled";
		poll(nullptr, 0, static_cast<int>(kStatePoll.count()));
	}
	return false;
}

void Scheduler::State::find_record(const Variables& variables)
{
	const Variable* record = variables.find_by_type("user_exit_info");
	if (!record)
		return;  // a foreign object without one: the kernel's state file is all there is
	record_map = record->map;
	record_offset = record->offset;
	record_name = record->name;
}

Status Scheduler::State::load(std::string_view sched, const SchedulerOptions& options)
{
	LibbpfLog log;
	object = TRY(open_object(sched));  // before the machine is looked at: a mistake is a mistake anywhere
	TRY(check_machine(sched));
	KernelTypes kernel = TRY(KernelTypes::load());
	Variables variables = Variables::of(object.get());
	auto prepared =
	    prepare(object.get(), variables, kernel,
		    {options.cpus, options.set, options.timeout_ms, options.record_decisions, options.only_named});
	if (!prepared)
		return fail(prepared.error().code, "cannot load {}: {}", sched, prepared.error().what);
	name = prepared->name;
	notes = std::move(prepared->notes);
	find_record(variables);
	ops = prepared->ops;
	if (!find_builtin(sched))
		TRY(try_in_copy(std::string(sched), "loading", kLoadLimit, [this] { bpf_object__load(object.get()); }));
	if (int error = -bpf_object__load(object.get()); error)
		return load_error(error, sched, name, log);
	if (options.record_decisions)
		decisions.emplace(TRY(DecisionRing::of_object(object.get(), variables)));
	return fill_budgets(options.budgets);
}

Status Scheduler::State::fill_budgets(const std::vector<Budget>& wanted)
{
	budgets = BudgetTable::of_object(object.get());
	if (wanted.empty())
		return {};
	if (!budgets)
		return fail(ExitCode::usage,
			    "this scheduler has no latency budgets; run scx_latency, or leave --slice out");
	if (wanted.size() > CLASSES_MAX)
		return fail(ExitCode::usage, "{} budgets: at most {} cgroups can have one", wanted.size(), CLASSES_MAX);
	std::set<uint64_t> cgroups;
	for (const Budget& budget : wanted) {
		auto id = cgroup_id(budget.cgroup);
		if (!id) {  // removed since it was found: no reason to leave the others without a scheduler
			notes.push_back(fmt::format("{}; its budget is left out", id.error().what));
			continue;
		}
		if (!cgroups.insert(*id).second)
			return fail(ExitCode::usage, "cgroup {} has two budgets; give one", budget.cgroup);
		TRY(budgets->set(budget));
	}
	return {};
}

Status Scheduler::State::attach(std::string_view sched)
{
	LibbpfLog log;
	bpf_program* program = nullptr;
	bpf_object__for_each_program(program, object.get())
	{
		if (bpf_program__type(program) == BPF_PROG_TYPE_STRUCT_OPS) {
			std::string_view callback = bpf_program__name(program);
			if (bpf_program__fd(program) >= 0 && (program_id == 0 || callback.ends_with("enqueue")))
				program_id = id_of(program);
		} else if (bpf_program__autoattach(program) && bpf_program__fd(program) >= 0) {
			LinkPtr attached(bpf_program__attach(program));
			if (attached)
				tracing.push_back(std::move(attached));
			else
				notes.push_back(fmt::format("program {} could not be attached: {}",
							    bpf_program__name(program), std::strerror(errno)));
		}
	}
	link.reset(bpf_map__attach_struct_ops(ops));
	if (!link)
		return attach_error(errno, sched);
	return {};
}

// The attach call succeeds even when enabling failed: the reason is then in the exit record.
bool Scheduler::State::verify()
{
	bool enabled = wait_for_enabled();
	enable_seq = sched_ext_file("enable_seq");
	return enabled && read_record().kind == 0 && sched_ext_file("root/ops").starts_with(name);
}

std::unexpected<Error> Scheduler::State::refusal(std::string_view sched) const
{
	user_exit_info record = read_record();
	return fail(ExitCode::ejected, "the kernel refused {}: {}{}{} (state {}; dmesg | grep sched_ext says more)",
		    sched, record.kind ? record.reason : "it was not enabled", record.msg[0] ? ": " : "", record.msg,
		    sched_ext_file("state"));
}

Scheduler::Scheduler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Scheduler::Scheduler(Scheduler&&) noexcept = default;
Scheduler::~Scheduler() = default;

Result<Scheduler> Scheduler::attach(std::string_view sched, const SchedulerOptions& options)
{
	for (int attempt = 1;; attempt++) {
		auto state = std::make_unique<State>();
		TRY(state->load(sched, options));
		TRY(state->attach(sched));
		if (state->verify())
			return Scheduler(std::move(state));
		// A CPU came or went in between: what was prepared no longer fits the machine.
		if (attempt == kAttemptsMax || !report_of(state->read_record()).wants_restart())
			return state->refusal(sched);
		state->link.reset();
		state->wait_for_end();
	}
}

const std::string& Scheduler::name() const
{
	return state_->name;
}

uint32_t Scheduler::program_id() const
{
	return state_->program_id;
}

const std::vector<std::string>& Scheduler::notes() const
{
	return state_->notes;
}

BudgetTable* Scheduler::budgets()
{
	return state_->budgets ? &*state_->budgets : nullptr;
}

std::vector<class_stats> Scheduler::classes() const
{
	const bpf_map* map = bpf_object__find_map_by_name(state_->object.get(), "class_stats");
	const bool ours = map != nullptr && bpf_map__value_size(map) == sizeof(class_stats);
	return ours ? read_classes(bpf_map__fd(map)) : std::vector<class_stats>();
}

DecisionRing* Scheduler::decisions()
{
	return state_->decisions ? &*state_->decisions : nullptr;
}

bool Scheduler::is_enabled() const
{
	if (state_->record_map)
		return state_->read_record().kind == 0;
	return sched_ext_file("state") == "enabled" && sched_ext_file("enable_seq") == state_->enable_seq;
}

ExitReport Scheduler::detach()
{
	state_->link.reset();
	state_->wait_for_end();
	ExitReport report = report_of(state_->read_record());
	if (report.is_fault())
		report.dump_file = state_->keep_dump();
	return report;
}

}  // namespace punctual
