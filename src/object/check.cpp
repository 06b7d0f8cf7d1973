// SPDX-License-Identifier: GPL-2.0-only
#include "object/check.h"

#include <bpf/libbpf.h>

#include "abi/sched.h"
#include "object/libbpf_log.h"
#include "object/open.h"
#include "object/ops_fields.h"
#include "object/variables.h"

namespace punctual {

Result<SchedulerFacts> check_scheduler(std::string_view sched, const std::vector<std::string>& set)
{
	const LibbpfLog log;
	const ObjectPtr object = TRY(open_object(sched));
	TRY(OpsFields::of(object.get()));
	const Variables variables = Variables::of(object.get());
	for (const std::string& assignment : set)
		TRY(variables.set_tunable(assignment));
	const bpf_map* budgets = bpf_object__find_map_by_name(object.get(), "budgets");
	return SchedulerFacts{budgets != nullptr && bpf_map__value_size(budgets) == sizeof(budget)};
}

}  // namespace punctual
