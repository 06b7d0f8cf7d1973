// SPDX-License-Identifier: GPL-2.0-only
#include "base/cpu_list.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file.h"

namespace punctual {
namespace {

std::optional<int> take_number(std::string_view& text)
{
	int number = 0;
	// from_chars would take a minus sign; CPU numbers have none.
	if (text.empty() || text.front() < '0' || text.front() > '9')
		return std::nullopt;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (error != std::errc())
		return std::nullopt;
	text.remove_prefix(static_cast<size_t>(end - text.data()));
	return number;
}

bool take(std::string_view& text, char c)
{
	if (text.empty() || text.front() != c)
		return false;
	text.remove_prefix(1);
	return true;
}

// FIRST[-LAST[:USED/GROUP]]: of each GROUP CPUs from FIRST on, the first USED.
struct Range {
	int first;
	int last;
	int used = 1;
	int group = 1;
};

std::optional<Range> parse_range(std::string_view text)
{
	const std::optional<int> first = take_number(text);
	if (!first)
		return std::nullopt;
	Range range{*first, *first};
	if (take(text, '-')) {
		const std::optional<int> last = take_number(text);
		if (!last || *last < *first)
			return std::nullopt;
		range.last = *last;
		if (take(text, ':')) {
			const std::optional<int> used = take_number(text);
			const bool slash = take(text, '/');
			const std::optional<int> group = take_number(text);
			if (!used || !slash || !group || *used < 1 || *group < *used)
				return std::nullopt;
			range.used = *used;
			range.group = *group;
		}
	}
	return text.empty() ? std::optional(range) : std::nullopt;
}

Result<CpuList> read_cpu_file(const char* path)
{
	return CpuList::parse(TRY(read_line(path)));
}

}  // namespace

Result<CpuList> CpuList::parse(std::string_view text)
{
	const std::string_view whole = text;
	CpuList list;
	for (bool more = true; more;) {
		const size_t comma = std::min(text.find(','), text.size());
		const std::optional<Range> range = parse_range(text.substr(0, comma));
		if (!range)
			return fail(ExitCode::usage,
				    "CPU list '{}': expected numbers and ranges, like 0-3,8 or 0-15:2/4", whole);
		if (range->last >= kCpusMax)
			return fail(ExitCode::usage, "CPU list '{}': CPU {} is out of range, the largest is {}", whole,
				    range->last, kCpusMax - 1);
		for (int cpu = range->first; cpu <= range->last; cpu++)
			if ((cpu - range->first) % range->group < range->used)
				list.add(cpu);
		more = comma < text.size();
		text.remove_prefix(more ? comma + 1 : comma);
	}
	return list;
}

Result<CpuList> CpuList::possible()
{
	return read_cpu_file("/sys/devices/system/cpu/possible");
}

Result<CpuList> CpuList::online()
{
	return read_cpu_file("/sys/devices/system/cpu/online");
}

bool CpuList::contains(int cpu) const
{
	return std::binary_search(cpus_.begin(), cpus_.end(), cpu);
}

void CpuList::add(int cpu)
{
	const auto place = std::lower_bound(cpus_.begin(), cpus_.end(), cpu);
	if (place == cpus_.end() || *place != cpu)
		cpus_.insert(place, cpu);
}

std::string CpuList::text() const
{
	std::string out;
	for (size_t begin = 0; begin < cpus_.size();) {
		size_t end = begin;
		while (end + 1 < cpus_.size() && cpus_[end + 1] == cpus_[end] + 1)
			end++;
		if (!out.empty())
			out += ',';
		out += std::to_string(cpus_[begin]);
		if (end > begin)
			out += '-' + std::to_string(cpus_[end]);
		begin = end + 1;
	}
	return out;
}

Result<CpuList> cpus_of_this_machine(std::string_view text)
{
	CpuList possible = TRY(CpuList::possible());
	if (text == "all")
		return possible;
	CpuList wanted = TRY(CpuList::parse(text));
	for (const int cpu : wanted.cpus())
		if (!possible.contains(cpu))
			return fail(ExitCode::usage, "CPU list '{}': this machine has no CPU {}, it has {}", text, cpu,
				    possible.text());
	return wanted;
}

}  // namespace punctual
