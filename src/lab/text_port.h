// SPDX-License-Identifier: GPL-2.0-only
// One of QEMU's text channels (serial console, monitor): its output is a file, its input a pipe. A file takes
// every byte at once, so the guest never waits for a reader, and what was said can be read at any time.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// A name for one of our descriptors that QEMU can open while we live. So none need to be inherited.
std::string path_for_qemu(int fd);

class TextPort {
 public:
	// Keeps the output in `file`, which is emptied first, or in memory.
	static Result<TextPort> create(const std::filesystem::path& file = {});

	std::string chardev(std::string_view id) const;  // value of QEMU's -chardev
	int output_fd() const { return output_.get(); }
	void type(std::string_view input) const;
	void prefill(std::string_view output) const;  // what stands above QEMU's own output
	std::string text() const;                     // all output so far

 private:
	TextPort(UniqueFd output, UniqueFd reader, UniqueFd input)
	    : output_(std::move(output)), reader_(std::move(reader)), input_(std::move(input))
	{}
	UniqueFd output_;
	UniqueFd reader_;  // ours too, so that QEMU finds a writer when it opens the pipe and never sees its end
	UniqueFd input_;
};

}  // namespace punctual
