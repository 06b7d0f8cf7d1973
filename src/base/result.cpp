// SPDX-License-Identifier: GPL-2.0-only
#include "base/result.h"

#include <system_error>

namespace punctual {

std::unexpected<Error> fail_errno(int error_number, ExitCode code, std::string what)
{
	what += ": ";
	what += std::generic_category().message(error_number);  // unlike strerror, safe in any thread
	return std::unexpected(Error{code, std::move(what)});
}

}  // namespace punctual
