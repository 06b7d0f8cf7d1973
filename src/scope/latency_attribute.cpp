// SPDX-License-Identifier: GPL-2.0-only
#include "scope/latency_attribute.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "base/units.h"
#include "scope/budget_option.h"

namespace punctual {
namespace {

constexpr size_t kValueMax = 64;                     // longer than any duration that makes sense
constexpr std::chrono::microseconds kWalkTime{500};  // for new cgroups, in one step
constexpr std::chrono::seconds kWalkPause{1};
// Of those that are not root's only so many are kept, to say why they are not used; of root's more than there are rows.
constexpr size_t kOthersMax = 64;
constexpr size_t kAttributesMax = 1024;

const BudgetRow* find_row(std::span<const BudgetRow> rows, uint64_t cgroup_id)
{
	auto row = std::ranges::find(rows, cgroup_id, &BudgetRow::cgroup_id);
	return row == rows.end() ? nullptr : &*row;
}

// 0: gone.
uint64_t id_of(const std::string& directory)
{
	struct stat status;
	return stat(directory.c_str(), &status) == 0 ? status.st_ino : 0;
}

UniqueFd open_directory(const std::string& directory)
{
	return UniqueFd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

AttributeVerdict judge(const std::string& directory, const LatencyAttribute& attribute, const BudgetRow* row)
{
	AttributeVerdict verdict;
	verdict.directory = directory;
	if (!attribute.is_roots) {
		verdict.line = fmt::format("{} of {} is not used: others than root may write to that directory",
					   kLatencyAttribute, directory);
		return verdict;
	}
	auto latency = parse_latency_attribute(attribute.value, directory);
	if (!latency) {
		verdict.line = fmt::format("{}: {} is refused, {}", latency.error().what, kLatencyAttribute,
					   row ? "the old budget stays" : "there is no budget");
		return verdict;
	}
	if (row && row->source == BudgetSource::given) {
		verdict.line = fmt::format("{} of {} is not used: it was given a budget of {}", kLatencyAttribute,
					   directory, format_duration(row->latency));
		return verdict;
	}
	if (row && row->latency == *latency)
		return verdict;
	verdict.kind = AttributeVerdict::set;
	verdict.budget = {.cgroup = directory, .latency = *latency, .source = BudgetSource::attribute};
	verdict.line = fmt::format("budget of {}: {} by {}", directory, format_duration(*latency), kLatencyAttribute);
	return verdict;
}

}  // namespace

std::vector<AttributeVerdict> judge_attributes(const LatencyAttributes& attributes, std::span<const BudgetRow> rows)
{
	std::vector<AttributeVerdict> verdicts;
	for (const BudgetRow& row : rows) {
		const bool has_attribute = std::ranges::any_of(
		    attributes, [&row](const auto& entry) { return entry.second.cgroup_id == row.cgroup_id; });
		if (row.source != BudgetSource::attribute || has_attribute)
			continue;
		AttributeVerdict verdict;
		verdict.kind = AttributeVerdict::clear;
		verdict.cgroup_id = row.cgroup_id;
		verdicts.push_back(std::move(verdict));
	}
	for (const auto& [directory, attribute] : attributes) {
		AttributeVerdict verdict = judge(directory, attribute, find_row(rows, attribute.cgroup_id));
		if (!verdict.line.empty())
			verdicts.push_back(std::move(verdict));
	}
	return verdicts;
}

AttributeScan::AttributeScan(std::filesystem::path mount) : mount_(std::move(mount)), walk_(mount_)
{
	while (auto cgroup = walk_.next())
		found_.push_back(std::move(*cgroup));
	end_walk();
}

const LatencyAttributes& AttributeScan::step()
{
	find_some();
	for (size_t i = 0; i < nr_held_; i++)
		look_at(known_[i]);
	const size_t nr_by_path = known_.size() - nr_held_;
	for (size_t looks = std::min(kByPathMax, nr_by_path); looks > 0; looks--)
		look_at(known_[nr_held_ + next_by_path_++ % nr_by_path]);
	return attributes_;
}

// A part of a walk, if it is time for one. What it found counts when it is complete.
void AttributeScan::find_some()
{
	const auto now = std::chrono::steady_clock::now();
	if (now < walk_again_at_)
		return;
	do {
		auto cgroup = walk_.next();
		if (!cgroup)
			return end_walk();
		found_.push_back(std::move(*cgroup));
	} while (std::chrono::steady_clock::now() < now + kWalkTime);
}

void AttributeScan::end_walk()
{
	// By id: a cgroup that was removed and made anew is another one.
	std::unordered_map<uint64_t, UniqueFd> open;
	for (Known& known : known_)
		if (known.held)
			open[known.cgroup.id] = std::move(known.held);
	known_.clear();
	for (FoundCgroup& cgroup : found_) {
		if (cgroup.id == 0)
			continue;
		Known known{std::move(cgroup), {}};
		if (known_.size() < kHeldMax)
			known.held = open.contains(known.cgroup.id) ? std::move(open[known.cgroup.id])
								    : open_directory(known.cgroup.directory);
		known_.push_back(std::move(known));
	}
	found_.clear();
	nr_held_ = std::min(known_.size(), kHeldMax);
	std::erase_if(attributes_, [](const auto& entry) { return id_of(entry.first) != entry.second.cgroup_id; });
	walk_ = CgroupWalk(mount_);
	walk_again_at_ = std::chrono::steady_clock::now() + kWalkPause;
}

void AttributeScan::look_at(const Known& known)
{
	const std::string& directory = known.cgroup.directory;
	char value[kValueMax];
	const ssize_t length = known.held ? fgetxattr(known.held.get(), kLatencyAttribute, value, sizeof(value))
					  : getxattr(directory.c_str(), kLatencyAttribute, value, sizeof(value));
	struct stat status = {};
	const bool is_there = (length >= 0 || errno == ERANGE) && stat(directory.c_str(), &status) == 0 &&
			      status.st_ino == known.cgroup.id;  // one that is held outlives its removal
	if (!is_there) {
		if (!attributes_.empty())
			attributes_.erase(directory);
		return;
	}
	const bool is_roots = status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
	if (attributes_.size() >= (is_roots ? kAttributesMax : kOthersMax) && !attributes_.contains(directory))
		return;
	attributes_[directory] = {
	    status.st_ino, length < 0 ? "(too long)" : std::string(value, static_cast<size_t>(length)), is_roots};
}

}  // namespace punctual
