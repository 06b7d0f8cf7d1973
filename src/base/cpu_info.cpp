// SPDX-License-Identifier: GPL-2.0-only
#include "base/cpu_info.h"

#include "base/file.h"

namespace punctual {

std::string cpu_info_field(std::string_view cpuinfo, std::string_view key)
{
	const size_t line = cpuinfo.find(key);
	const size_t colon = line == cpuinfo.npos ? cpuinfo.npos : cpuinfo.find(": ", line);
	if (colon == cpuinfo.npos)
		return "unknown";
	return std::string(cpuinfo.substr(colon + 2, cpuinfo.find('\n', colon) - colon - 2));
}

std::string cpu_model()
{
	return cpu_info_field(read_file("/proc/cpuinfo").value_or(""), "model name");
}

}  // namespace punctual
