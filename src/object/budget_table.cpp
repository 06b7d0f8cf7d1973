// SPDX-License-Identifier: GPL-2.0-only
#include "object/budget_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "abi/sched.h"
#include "base/cgroup.h"
#include "base/file_lock.h"
#include "object/kernel_lists.h"

namespace punctual {
namespace {

constexpr const char* kControlMap = ".data.control";
constexpr const char* kGeneration = "budget_generation";
constexpr const char* kLockFolder = "/run/punctual";
constexpr std::chrono::seconds kLockWait{10};  // a change takes a millisecond, of CPU time that its process must get

struct BtfFree {
	void operator()(struct btf* btf) const { btf__free(btf); }
};

// Where a global variable lies in the value of its section's map, by the BTF that the kernel keeps of it.
std::optional<uint32_t> offset_in_map(const UniqueFd& map, std::string_view variable)
{
	bpf_map_info info = {};
	uint32_t length = sizeof(info);
	if (!map || bpf_map_get_info_by_fd(map.get(), &info, &length) != 0)
		return std::nullopt;
	const std::unique_ptr<struct btf, BtfFree> btf(btf__load_from_kernel_by_id(info.btf_id));
	const btf_type* section = btf ? btf__type_by_id(btf.get(), info.btf_value_type_id) : nullptr;
	if (!section || !btf_is_datasec(section))
		return std::nullopt;
	for (int i = 0; i < btf_vlen(section); i++) {
		const btf_var_secinfo& member = btf_var_secinfos(section)[i];
		const btf_type* type = btf__type_by_id(btf.get(), member.type);
		if (type && variable == btf__name_by_offset(btf.get(), type->name_off) && member.size == sizeof(u64) &&
		    member.offset + member.size <= info.value_size)
			return member.offset;
	}
	return std::nullopt;
}

UniqueFd map_of_object(bpf_object* object, const char* name, uint32_t value_size)
{
	const bpf_map* map = bpf_object__find_map_by_name(object, name);
	if (!map || (value_size != 0 && bpf_map__value_size(map) != value_size))
		return {};
	return UniqueFd(fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0));  // the object may be closed before the table
}

// Between processes: `budget set` beside the attributes that `run` follows.
Result<UniqueFd> lock_table()
{
	if (mkdir(kLockFolder, 0755) != 0 && errno != EEXIST)
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot create {}", kLockFolder));
	return lock_file(std::string(kLockFolder) + "/budgets.lock", -1, kLockWait);
}

}  // namespace

std::optional<uint32_t> lowest_free_row(std::span<const BudgetRow> rows)
{
	for (uint32_t index = 0; index < CLASSES_MAX; index++)
		if (std::ranges::none_of(rows, [index](const BudgetRow& row) { return row.class_index == index; }))
			return index;
	return std::nullopt;
}

Result<BudgetTable> BudgetTable::of_loaded()
{
	std::string name = TRY(active_scheduler());
	if (name.empty())
		return fail(ExitCode::failed,
			    "no scheduler is loaded, so there are no budgets (punctual run scx_latency loads one)");
	if (geteuid() != 0)
		return fail(ExitCode::lacking, "the budgets of {} need root (sudo punctual budget ...)", name);
	std::vector<KernelProgram> programs = sched_ext_programs();
	BudgetTable table;
	table.budgets_ = find_kernel_map(programs, "budgets", sizeof(budget));
	table.class_stats_ = find_kernel_map(programs, "class_stats", sizeof(class_stats));
	table.class_verdicts_ = find_kernel_map(programs, "class_verdicts", sizeof(class_verdict));
	table.control_ = find_kernel_map(programs, kControlMap, 0);
	auto offset = offset_in_map(table.control_, kGeneration);
	if (!table.budgets_ || !table.class_stats_ || !offset)
		return fail(ExitCode::failed, "the loaded scheduler {} has no latency budgets; scx_latency has", name);
	table.generation_offset_ = *offset;
	return table;
}

std::optional<BudgetTable> BudgetTable::of_object(bpf_object* object)
{
	BudgetTable table;
	table.budgets_ = map_of_object(object, "budgets", sizeof(budget));
	table.class_stats_ = map_of_object(object, "class_stats", sizeof(class_stats));
	table.class_verdicts_ = map_of_object(object, "class_verdicts", sizeof(class_verdict));
	table.control_ = map_of_object(object, kControlMap, 0);
	auto offset = offset_in_map(table.control_, kGeneration);
	if (!table.budgets_ || !table.class_stats_ || !offset)
		return std::nullopt;
	table.generation_offset_ = *offset;
	return table;
}

Result<std::vector<BudgetRow>> BudgetTable::rows() const
{
	std::vector<BudgetRow> rows;
	u64 id = 0;
	// A change meanwhile may make the kernel begin anew; the map holds no more than CLASSES_MAX anyway.
	for (u32 n = 0; n < 2 * CLASSES_MAX; n++) {
		const int error = -bpf_map_get_next_key(budgets_.get(), n == 0 ? nullptr : &id, &id);
		if (error == ENOENT)
			break;
		if (error)
			return fail_errno(error, ExitCode::failed, "cannot read the budgets map");
		struct budget value = {};
		if (bpf_map_lookup_elem(budgets_.get(), &id, &value) != 0)
			continue;
		rows.push_back({.cgroup_id = id,
				.latency = std::chrono::nanoseconds(value.budget_ns),
				.cap_percent = value.cap_percent,
				.source = value.source ? BudgetSource::attribute : BudgetSource::given,
				.class_index = value.class_index});
	}
	std::ranges::sort(rows, {}, &BudgetRow::class_index);
	auto twice = std::ranges::unique(rows, {}, &BudgetRow::cgroup_id);
	rows.erase(twice.begin(), twice.end());
	return rows;
}

std::vector<class_verdict> BudgetTable::verdicts() const
{
	return read_verdicts(class_verdicts_);
}

Result<bool> BudgetTable::set(const Budget& budget)
{
	const UniqueFd lock = TRY(lock_table());
	uint64_t id = TRY(cgroup_id(budget.cgroup));
	std::vector<BudgetRow> rows = TRY(this->rows());
	auto old = std::ranges::find(rows, id, &BudgetRow::cgroup_id);
	const bool is_new = old == rows.end();
	if (!is_new && old->source == BudgetSource::given && budget.source == BudgetSource::attribute)
		return false;
	std::optional<uint32_t> index = is_new ? lowest_free_row(rows) : old->class_index;
	if (!index) {
		TRY(drop_gone(&rows));
		index = lowest_free_row(rows);
	}
	if (!index)
		return fail(ExitCode::failed,
			    "no budget for {}: {} cgroups have one, and that is the limit (punctual budget clear frees "
			    "one)",
			    budget.cgroup, CLASSES_MAX);
	// The row first: the scheduler counts there as soon as it sees the budget.
	TRY(label(*index, id, static_cast<u64>(budget.latency.count()), !is_new));
	TRY(insert(id, budget, *index));
	TRY(raise_generation());
	return true;
}

Result<bool> BudgetTable::clear(uint64_t cgroup_id, BudgetSource source)
{
	const UniqueFd lock = TRY(lock_table());
	for (const BudgetRow& row : TRY(rows())) {
		if (row.cgroup_id != cgroup_id || row.source != source)
			continue;
		TRY(remove(row));
		return true;
	}
	return false;
}

Result<std::vector<BudgetRow>> BudgetTable::free_gone()
{
	const UniqueFd lock = TRY(lock_table());
	std::vector<BudgetRow> rows = TRY(this->rows());
	return drop_gone(&rows);
}

// REQUIRES: the lock. Takes them out of `rows` too.
Result<std::vector<BudgetRow>> BudgetTable::drop_gone(std::vector<BudgetRow>* rows)
{
	std::vector<BudgetRow> gone;
	for (const BudgetRow& row : *rows) {
		if (TRY(cgroup_by_id(row.cgroup_id)))
			continue;
		TRY(remove(row));
		gone.push_back(row);
	}
	std::erase_if(*rows, [&gone](const BudgetRow& row) {
		return std::ranges::find(gone, row.cgroup_id, &BudgetRow::cgroup_id) != gone.end();
	});
	return gone;
}

Status BudgetTable::insert(uint64_t cgroup_id, const Budget& budget, uint32_t class_index)
{
	u64 id = cgroup_id;
	struct budget value = {.budget_ns = static_cast<u64>(budget.latency.count()),
			       .class_index = static_cast<u16>(class_index),
			       .source = static_cast<u16>(budget.source),
			       .cap_percent = budget.cap_percent};
	if (bpf_map_update_elem(budgets_.get(), &id, &value, BPF_ANY) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot write the budgets map");
	return {};
}

Status BudgetTable::remove(const BudgetRow& row)
{
	u64 id = row.cgroup_id;
	if (bpf_map_delete_elem(budgets_.get(), &id) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot write the budgets map");
	TRY(raise_generation());
	return label(row.class_index, 0, 0, false);
}

// Names the class in its row on every CPU. Kept counters are read and written back: what the scheduler
// counts in these microseconds is lost.
Status BudgetTable::label(uint32_t class_index, uint64_t cgroup_id, uint64_t budget_ns, bool keep_counters)
{
	std::vector<struct class_stats> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
	if (keep_counters && bpf_map_lookup_elem(class_stats_.get(), &class_index, per_cpu.data()) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot read the class_stats map");
	for (struct class_stats& row : per_cpu) {
		row.cgroup_id = cgroup_id;
		row.budget_ns = budget_ns;
	}
	if (bpf_map_update_elem(class_stats_.get(), &class_index, per_cpu.data(), BPF_ANY) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot write the class_stats map");
	return {};
}

// In place, and nothing but this number: the section may hold other variables, which the scheduler writes.
Status BudgetTable::raise_generation()
{
	const size_t length = generation_offset_ + sizeof(u64);
	void* section = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, control_.get(), 0);
	if (section == MAP_FAILED)
		return fail_errno(errno, ExitCode::failed, "cannot map the scheduler's control section");
	std::atomic_ref(*reinterpret_cast<u64*>(static_cast<char*>(section) + generation_offset_)).fetch_add(1);
	munmap(section, length);
	return {};
}

}  // namespace punctual
