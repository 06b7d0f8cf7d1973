// SPDX-License-Identifier: GPL-2.0-only
#include "cli/cgroup_name.h"

#include <fmt/format.h>

#include "base/cgroup.h"
#include "view/text.h"

namespace punctual {

std::optional<std::string> cgroup_name(uint64_t id)
{
	auto mount = cgroup2_mount();
	auto directory = cgroup_by_id(id);
	if (!mount || !directory)
		return fmt::format("id {}", id);
	if (!*directory)
		return std::nullopt;
	return **directory == *mount ? "/" : (*directory)->lexically_relative(*mount).native();
}

std::string cgroup_text(uint64_t id)
{
	return clean_text(cgroup_name(id).value_or(fmt::format("id {} (removed)", id)));
}

}  // namespace punctual
