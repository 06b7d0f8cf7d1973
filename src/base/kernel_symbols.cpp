// SPDX-License-Identifier: GPL-2.0-only
#include "base/kernel_symbols.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/file.h"

namespace punctual {
namespace {

constexpr const char* kFile = "/proc/kallsyms";
constexpr uint64_t kFunctionBytesMax = 1 << 20;  // what lies further behind a symbol is no part of it
constexpr std::string_view kTextTypes = "tTwW";

struct Line {
	uint64_t address;
	std::string_view name;
};

// "ffffffffc0000000 t bpf_prog_d35f_enqueue\t[bpf]": only functions.
std::optional<Line> parse_line(std::string_view line)
{
	Line parsed = {};
	const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), parsed.address, 16);
	line.remove_prefix(static_cast<size_t>(end - line.data()));
	if (error != std::errc() || line.size() < 4 || line[0] != ' ' || line[2] != ' ' ||
	    kTextTypes.find(line[1]) == std::string_view::npos)
		return std::nullopt;
	line.remove_prefix(3);
	parsed.name = line.substr(0, line.find_first_of("\t "));
	return parsed.name.empty() ? std::nullopt : std::optional(parsed);
}

}  // namespace

Result<KernelSymbols> KernelSymbols::parse(std::string text)
{
	if (text.size() > std::numeric_limits<uint32_t>::max())
		return fail(ExitCode::failed, "{}: longer than 4 GiB", kFile);
	KernelSymbols symbols;
	symbols.text_ = std::move(text);
	const std::string_view all = symbols.text_;
	symbols.symbols_.reserve(all.size() / 40);
	bool are_hidden = false;
	for (size_t at = 0; at < all.size();) {
		const size_t end = std::min(all.find('\n', at), all.size());
		if (const auto line = parse_line(all.substr(at, end - at))) {
			if (line->address != 0)
				symbols.symbols_.push_back({line->address,
							    static_cast<uint32_t>(line->name.data() - all.data()),
							    static_cast<uint32_t>(line->name.size())});
			are_hidden = are_hidden || line->address == 0;
		}
		at = end + 1;
	}
	if (symbols.symbols_.empty())
		return fail(ExitCode::lacking, "{}: {}", kFile,
			    are_hidden
				? "the kernel hides all addresses: run as root; if they are hidden from root, sysctl "
				  "kernel.kptr_restrict=1 shows them"
				: "there are no functions (boot a kernel with CONFIG_KALLSYMS)");
	std::ranges::sort(symbols.symbols_, {},
			  [](const Symbol& symbol) { return std::pair(symbol.address, symbol.name_at); });
	return symbols;
}

Result<KernelSymbols> KernelSymbols::read()
{
	return parse(TRY(read_file(kFile)));
}

std::string_view KernelSymbols::name_at(uint64_t address) const
{
	auto next = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
	if (next == symbols_.begin() || address - std::prev(next)->address >= kFunctionBytesMax)
		return {};
	const auto first = std::ranges::lower_bound(symbols_, std::prev(next)->address, {}, &Symbol::address);
	return std::string_view(text_).substr(first->name_at, first->name_bytes);
}

}  // namespace punctual
