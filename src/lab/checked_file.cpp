// SPDX-License-Identifier: GPL-2.0-only
#include "lab/checked_file.h"

#include <cerrno>
#include <cstdio>

#include "base/file.h"
#include "lab/checksum.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

fs::path checksum_file(const fs::path& file)
{
	return file.native() + ".sha256";
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
