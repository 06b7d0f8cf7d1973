// SPDX-License-Identifier: GPL-2.0-only
// Keeps what libbpf and the verifier say, instead of letting libbpf print it: pages of text that
// matter only when something failed. While one of these lives, libbpf is quiet; they may nest,
// and the innermost gets the text. One thread.
#pragma once

#include <string>
#include <string_view>

#include <bpf/libbpf.h>

namespace punctual {

class LibbpfLog {
 public:
	LibbpfLog();
	~LibbpfLog();
	LibbpfLog(const LibbpfLog&) = delete;
	LibbpfLog& operator=(const LibbpfLog&) = delete;

	// Writes it to a file, for the one line of an error to point to. `name` becomes part of the file's name.
	std::string keep(std::string_view name) const;

 private:
	std::string text_;
	std::string* outer_;
	libbpf_print_fn_t previous_;
};

}  // namespace punctual
