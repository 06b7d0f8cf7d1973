// SPDX-License-Identifier: GPL-2.0-only
#include "object/decision_file.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "abi/decision.h"

namespace punctual {
namespace {

std::span<const std::byte> bytes_of(const auto& value)
{
	return std::as_bytes(std::span(&value, 1));
}

decision_file_head file_head()
{
	decision_file_head head = {DECISION_MAGIC, DECISION_VERSION, 0, {}};
	utsname machine = {};
	uname(&machine);
	std::string_view release = machine.release;
	release.copy(head.kernel, sizeof(head.kernel) - 1);
	return head;
}

}  // namespace

DecisionFile::DecisionFile(std::filesystem::path path, std::FILE* file, uint64_t bytes_max)
    : path_(std::move(path)), file_(file), bytes_left_(bytes_max)
{}

Result<DecisionFile> DecisionFile::create(const std::filesystem::path& path, uint64_t bytes_max)
{
	std::FILE* file = std::fopen(path.c_str(), "wbe");
	if (!file)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot record into {}", path.native()));
	DecisionFile created(path, file, bytes_max);
	created.write(bytes_of(file_head()));
	return created;
}

void DecisionFile::write(std::span<const std::byte> bytes)
{
	if (error_number_ == 0 && std::fwrite(bytes.data(), bytes.size(), 1, file_.get()) != 1)
		error_number_ = errno;
}

void DecisionFile::add(std::span<const std::byte> record)
{
	if (record.size() > bytes_left_) {
		bytes_left_ = 0;  // nor a smaller one: what is in the file has no gaps
		nr_left_out_++;
		return;
	}
	bytes_left_ -= record.size();
	nr_records_++;
	write(record);
}

Status DecisionFile::end(uint64_t nr_lost)
{
	decision_end end = {{0, 0, DECISION_END, sizeof(decision_end)}, nr_lost, nr_left_out_};
	write(bytes_of(end));
	if (error_number_ == 0 && std::fflush(file_.get()) != 0)
		error_number_ = errno;
	if (error_number_ != 0)
		return fail_errno(error_number_, ExitCode::invalid,
				  fmt::format("{} is cut off: cannot write it", path_.native()));
	return {};
}

}  // namespace punctual
