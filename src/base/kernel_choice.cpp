// SPDX-License-Identifier: GPL-2.0-only
#include "base/kernel_choice.h"

#include "base/file.h"

namespace punctual {

std::string marked_choice(std::string_view text)
{
	const size_t begin = text.find_first_of("[(");
	const size_t end = text.find_first_of("])", begin);
	if (end == std::string_view::npos)
		return "";
	return std::string(text.substr(begin + 1, end - begin - 1));
}

Status check_bpf_may_read(const std::string& file)
{
	if (marked_choice(read_line(file).value_or("")) != "confidentiality")
		return {};
	return fail(ExitCode::lacking,
		    "the kernel is locked down (confidentiality), so BPF programs may not read its memory: "
		    "boot with lockdown=integrity or without");
}

}  // namespace punctual
