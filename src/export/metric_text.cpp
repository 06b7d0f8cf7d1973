// SPDX-License-Identifier: GPL-2.0-only
#include "export/metric_text.h"

#include <fmt/format.h>

#include "export/harmless.h"

namespace punctual {

void append_metric_head(std::string& out, std::string_view name, std::string_view type, std::string_view help)
{
	out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string metric_label(std::string_view name)
{
	return harmless(name, "\\\"");
}

std::string metric_seconds(u64 ns)
{
	return fmt::format("{}", static_cast<double>(ns) / 1e9);
}

}  // namespace punctual
