// SPDX-License-Identifier: GPL-2.0-only
#include "base/sched_ext.h"

#include <charconv>

#include "base/file.h"

namespace punctual {
namespace {

Result<std::string> file(const char* name)
{
	return read_line(std::string("/sys/kernel/sched_ext/") + name);
}

uint64_t number_in(const char* name)
{
	uint64_t number = 0;
	const std::string text = file(name).value_or("");
	std::from_chars(text.data(), text.data() + text.size(), number);
	return number;
}

}  // namespace

SchedExtState read_sched_ext()
{
	SchedExtState now;
	const Result<std::string> state = file("state");
	now.is_present = state.has_value();
	if (!state)
		return now;
	now.enable_seq = number_in("enable_seq");
	now.nr_rejected = number_in("nr_rejected");
	if (*state == "disabled")
		return now;
	now.ops = file("root/ops").value_or("(" + *state + ")");  // on its way in or out
	now.serves_all = file("switch_all").value_or("1") == "1";
	return now;
}

}  // namespace punctual
