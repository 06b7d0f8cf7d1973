// SPDX-License-Identifier: GPL-2.0-only
// The file into which the decisions of a scheduler are recorded: abi/decision.h has its form. It outlives the
// scheduler, which the kernel may have loaded again. Hides the bound and the buffering. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.h"

namespace punctual {

class DecisionFile {
 public:
	// 256 MiB: some minutes of one busy CPU. What comes later is left out, and counted.
	static constexpr uint64_t kBytesMax = 256ULL << 20;

	// Creates or empties the file. Errors name the path.
	static Result<DecisionFile> create(const std::filesystem::path& path, uint64_t bytes_max = kBytesMax);

	// A whole record.
	void add(std::span<const std::byte> record);

	// A life of the scheduler has ended. Afterwards all that was added is in the file, or it says why not.
	Status end(uint64_t nr_lost);

	const std::filesystem::path& path() const { return path_; }
	uint64_t nr_records() const { return nr_records_; }
	uint64_t nr_left_out() const { return nr_left_out_; }

 private:
	struct Close {
		void operator()(std::FILE* file) const { std::fclose(file); }
	};

	DecisionFile(std::filesystem::path path, std::FILE* file, uint64_t bytes_max);
	void write(std::span<const std::byte> bytes);

	std::filesystem::path path_;
	std::unique_ptr<std::FILE, Close> file_;
	uint64_t bytes_left_;
	uint64_t nr_records_ = 0;
	uint64_t nr_left_out_ = 0;
	int error_number_ = 0;  // of the first write that failed: nothing is written after it
};

}  // namespace punctual
