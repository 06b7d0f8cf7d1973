// SPDX-License-Identifier: GPL-2.0-only
// punctual lab-init: the first process of a lab guest.
#include "cli/commands.h"
#include "lab/guest.h"

namespace punctual {

Action setup_lab_init(CLI::App&)
{
	return []() -> Result<ExitCode> {
		TRY(run_guest());
		return ExitCode::ok;
	};
}

}  // namespace punctual
