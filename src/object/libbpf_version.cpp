// SPDX-License-Identifier: GPL-2.0-only
#include "object/libbpf_version.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>

namespace punctual {

std::string libbpf_version()
{
	return fmt::format("{}.{}", libbpf_major_version(), libbpf_minor_version());
}

}  // namespace punctual
