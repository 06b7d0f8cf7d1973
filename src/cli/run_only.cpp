// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_only.h"

#include "base/cgroup.h"
#include "scope/budget_option.h"

namespace punctual {

Result<std::filesystem::path> parse_only_slice(std::string_view text, std::vector<Budget>* budgets)
{
	if (text.find('=') == std::string_view::npos)
		return find_cgroup(text);
	budgets->push_back(TRY(parse_budget(text)));
	return budgets->back().cgroup;
}

Status repair_and_say()
{
	for (const std::string& line : TRY(repair_partial_scope()))
		fmt::print(stderr, "punctual: {}\n", line);
	return {};
}

Result<OnlyRun> OnlyRun::create(const CpuList& cpus, std::vector<std::filesystem::path> slices)
{
	if (slices.empty())
		return OnlyRun(std::nullopt);
	return OnlyRun(TRY(PartialScope::create({cpus, std::move(slices)})));
}

Status OnlyRun::say(Status status)
{
	for (const std::string& note : scope_->take_notes())
		fmt::print(stderr, "punctual: --only: {}\n", note);
	return status;
}

Status OnlyRun::start()
{
	return scope_ ? say(scope_->start()) : Status();
}

Status OnlyRun::follow()
{
	return scope_ ? say(scope_->follow()) : Status();
}

void OnlyRun::end()
{
	if (!scope_)
		return;
	if (Status undone = say(scope_->undo()); !undone)
		fmt::print(stderr, "punctual: {}\n", undone.error().what);
	scope_.reset();
}

}  // namespace punctual
