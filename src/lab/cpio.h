// SPDX-License-Identifier: GPL-2.0-only
// Archives in the "newc" form of cpio: the form the kernel unpacks as its first root file system, and the one
// in which files travel between host and guest. Written archives depend on nothing but what was added: no times,
// no owners, no inode numbers of the host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

// The largest file that the form can carry: its size field has 8 hexadecimal digits.
constexpr uint64_t kCpioFileBytesMax = 0xffffffff;

class CpioWriter {
 public:
	using Sink = std::function<void(std::string_view)>;
	explicit CpioWriter(Sink sink) : sink_(std::move(sink)) {}

	// `mode` with the file type, as in stat. The contents of a symbolic link are its target.
	// Contents must not be larger than kCpioFileBytesMax.
	void add(std::string_view path, uint32_t mode, std::string_view contents);
	void finish();  // the end mark; nothing may be added after it

 private:
	void put(std::string_view bytes);
	void pad();

	Sink sink_;
	uint64_t written_ = 0;
	uint32_t next_inode_ = 1;
};

struct CpioEntry {
	std::string path;
	uint32_t mode = 0;
	std::string_view contents;  // points into the archive
};

// All entries up to the end mark. Input may come from anywhere: every length is checked.
Result<std::vector<CpioEntry>> read_cpio(std::string_view archive);

}  // namespace punctual
