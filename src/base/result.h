// SPDX-License-Identifier: GPL-2.0-only
// The one error type of punctual. Functions that can fail for a reason outside our
// control return Result<T>; nothing throws. An Error names the thing and the remedy
// in one line, and carries the exit code that the process should end with.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace punctual {

// Exit codes of every command; the same table stands in every man page.
enum class ExitCode : int {
	ok = 0,
	failed = 1,
	usage = 2,
	lacking = 3,  // this machine lacks a capability or a kernel feature
	invalid = 4,  // the run is invalid: lost data, load generator too slow
	ejected = 5,  // the kernel ejected the scheduler
	regression = 10,
	inconclusive = 11,
	timeout = 124,
	interrupted = 130,
};

struct Error {
	ExitCode code = ExitCode::failed;
	std::string what;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// `return fail(ExitCode::usage, "budget '{}' ...", text);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(ExitCode code, fmt::format_string<Args...> text, Args&&... args)
{
	return std::unexpected(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

// The same with the text of errno (or of a given errno value) at the end.
[[nodiscard]] std::unexpected<Error> fail_errno(int error_number, ExitCode code, std::string what);

}  // namespace punctual

// Value of a Result, or return its error from the enclosing function. A macro because
// g++ 12 has no monadic members on std::expected and a function cannot return for its caller.
#define TRY(expression)                                                        \
	({                                                                     \
		auto try_result = (expression);                                \
		if (!try_result)                                               \
			return std::unexpected(std::move(try_result).error()); \
		std::move(try_result).value();                                 \
	})
