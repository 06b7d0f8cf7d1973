// SPDX-License-Identifier: GPL-2.0-only
#include "object/trial.h"

#include "base/process.h"

namespace punctual {

Status try_in_copy(const std::string& path, std::string_view doing, std::chrono::seconds limit,
		   const std::function<void()>& work)
{
	Child copy = TRY(Child::copy(work));
	const std::optional<int> status = TRY(copy.wait(limit));
	if (status == 0)
		return {};
	return fail(ExitCode::usage, "'{}' is a damaged BPF object ({} it {}): build it again", path, doing,
		    status ? "crashes libbpf" : "does not end");
}

}  // namespace punctual
