// SPDX-License-Identifier: GPL-2.0-only
#include "base/interrupts.h"

#include <charconv>

namespace punctual {
namespace {

std::string_view take_line(std::string_view& text)
{
	const std::string_view line = text.substr(0, text.find('\n'));
	text.remove_prefix(std::min(line.size() + 1, text.size()));
	return line;
}

std::string_view take_word(std::string_view& line)
{
	line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
	const std::string_view word = line.substr(0, line.find(' '));
	line.remove_prefix(word.size());
	return word;
}

template <typename Number>
bool is_number(std::string_view word, Number& number)
{
	const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
	return error == std::errc{} && end == word.data() + word.size() && !word.empty();
}

// "           CPU0       CPU2": the columns that follow, which are the CPUs that are online.
std::vector<int> parse_columns(std::string_view line)
{
	std::vector<int> cpus;
	for (std::string_view word = take_word(line); word.starts_with("CPU"); word = take_word(line)) {
		int cpu = 0;
		if (!is_number(word.substr(3), cpu) || cpu >= CpuList::kCpusMax)
			break;
		cpus.push_back(cpu);
	}
	return cpus;
}

}  // namespace

uint64_t Interrupt::count_on(const CpuList& cpus) const
{
	uint64_t sum = 0;
	for (const auto& [cpu, count] : counts)
		if (cpus.contains(cpu))
			sum += count;
	return sum;
}

std::vector<Interrupt> parse_interrupts(std::string_view text)
{
	std::vector<Interrupt> interrupts;
	const std::vector<int> columns = parse_columns(take_line(text));
	while (!text.empty() && interrupts.size() < kInterruptsMax) {
		std::string_view line = take_line(text);
		const std::string_view label = take_word(line);
		int number = 0;
		if (!label.ends_with(':') || !is_number(label.substr(0, label.size() - 1), number))
			continue;  // "LOC:", "RES:" and their like belong to a CPU
		Interrupt interrupt;
		for (const int cpu : columns) {
			uint64_t count = 0;
			if (!is_number(take_word(line), count))
				break;
			if (count)
				interrupt.counts.emplace_back(cpu, count);
		}
		const size_t last = line.find_last_not_of(' ');
		const std::string_view words = line.substr(0, last == std::string_view::npos ? 0 : last + 1);
		interrupt.name = std::string(label.substr(0, label.size() - 1)) + " " +
				 std::string(words.substr(words.rfind(' ') + 1));
		if (!interrupt.counts.empty())
			interrupts.push_back(std::move(interrupt));
	}
	return interrupts;
}

}  // namespace punctual
