// SPDX-License-Identifier: GPL-2.0-only
#include "lab/checksum.h"

#include <algorithm>
#include <string_view>

#include "base/process.h"

namespace punctual {
namespace {

constexpr size_t kDigits = 64;

}  // namespace

Result<std::vector<std::string>> sha256_of(const std::vector<std::filesystem::path>& files)
{
	std::vector<std::string> argv = {"sha256sum", "--zero", "--"};  // no line breaks, no escapes
	for (const std::filesystem::path& file : files)
		argv.push_back(file.native());
	const Captured run = TRY(run_captured(argv, std::chrono::minutes(2)));
	std::vector<std::string> sums;
	std::string_view rest = run.out;
	while (run.status == 0 && rest.size() > kDigits) {
		sums.emplace_back(rest.substr(0, kDigits));
		rest.remove_prefix(std::min(rest.find('\0'), rest.size() - 1) + 1);
	}
	if (sums.size() != files.size() || files.empty())
		return fail(ExitCode::failed, "cannot compute the checksum of {}",
			    files.empty() ? "nothing" : files[0].native());
	return sums;
}

Result<std::string> sha256(const std::filesystem::path& file)
{
	return TRY(sha256_of({file}))[0];
}

}  // namespace punctual
