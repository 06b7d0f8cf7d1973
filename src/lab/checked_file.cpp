// SPDX-License-Identifier: GPL-2.0-only
#include "lab/checked_file.h"

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "base/file.h"
#include "base/process.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kSumLimit{2};

fs::path checksum_file(const fs::path& file)
{
	return file.native() + ".sha256";
}

Result<std::string> sha256(const fs::path& file)
{
	const Captured sum = TRY(run_captured({"sha256sum", "--", file.native()}, kSumLimit));
	if (sum.status != 0 || sum.out.size() < 64)
		return fail(ExitCode::failed, "cannot compute the checksum of {}", file.native());
	return sum.out.substr(0, 64);
}

}  // namespace

bool is_intact(const fs::path& file)
{
	const std::string expected = checksum_of(file);
	if (expected.empty())
		return false;
	const auto actual = sha256(file);
	return actual && *actual == expected;
}

std::string checksum_of(const fs::path& file)
{
	return read_line(checksum_file(file)).value_or("");
}

Status keep_checked(const fs::path& fresh, const fs::path& file)
{
	const std::string sum = TRY(sha256(fresh));
	// The checksum goes first: a crash between the two leaves a mismatch, and the file is made again.
	TRY(replace_file(checksum_file(file), sum + "\n"));
	if (::rename(fresh.c_str(), file.c_str()) != 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot write {}", file.native()));
	return {};
}

}  // namespace punctual
