// SPDX-License-Identifier: GPL-2.0-only
#include "lab/module_info.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace punctual {
namespace {

constexpr std::string_view kSection = ".modinfo";
constexpr std::string_view kDepends = "depends=";

// `size` bytes at `offset`, if they are there.
std::optional<std::string_view> part_of(std::string_view bytes, uint64_t offset, uint64_t size)
{
	if (offset > bytes.size() || size > bytes.size() - offset)
		return std::nullopt;
	return bytes.substr(offset, size);
}

template <typename Value>
std::optional<Value> value_at(std::string_view bytes, uint64_t offset)
{
	const auto part = part_of(bytes, offset, sizeof(Value));
	if (!part)
		return std::nullopt;
	Value value;
	part->copy(reinterpret_cast<char*>(&value), sizeof(Value));
	return value;
}

std::optional<Elf64_Shdr> section_header(std::string_view elf, const Elf64_Ehdr& header, unsigned index)
{
	uint64_t offset = 0;
	if (index >= header.e_shnum || header.e_shentsize != sizeof(Elf64_Shdr) ||
	    __builtin_add_overflow(header.e_shoff, index * sizeof(Elf64_Shdr), &offset))
		return std::nullopt;
	return value_at<Elf64_Shdr>(elf, offset);
}

// The contents of the section .modinfo: "name=value" texts, each with a NUL at its end.
std::optional<std::string_view> modinfo_of(std::string_view elf)
{
	const auto header = value_at<Elf64_Ehdr>(elf, 0);
	if (!header || !elf.starts_with(ELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64)
		return std::nullopt;
	const auto names_header = section_header(elf, *header, header->e_shstrndx);
	const auto names = names_header ? part_of(elf, names_header->sh_offset, names_header->sh_size) : std::nullopt;
	if (!names)
		return std::nullopt;
	for (unsigned i = 0; i < header->e_shnum; i++) {
		const auto section = section_header(elf, *header, i);
		if (!section || section->sh_name > names->size())
			return std::nullopt;
		const std::string_view name = names->substr(section->sh_name);
		if (name.substr(0, name.find('\0')) == kSection)
			return part_of(elf, section->sh_offset, section->sh_size);
	}
	return std::nullopt;
}

}  // namespace

std::string module_name(std::string_view text)
{
	std::string name(text.substr(0, text.find(".ko")));
	std::ranges::replace(name, '-', '_');
	return name;
}

Result<std::vector<std::string>> module_dependencies(std::string_view elf)
{
	const auto info = modinfo_of(elf);
	if (!info)
		return fail(ExitCode::failed, "it is no kernel module: it has no section .modinfo");
	std::vector<std::string> names;
	std::string_view rest = *info;
	while (!rest.empty()) {
		std::string_view entry = rest.substr(0, rest.find('\0'));
		rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
		if (!entry.starts_with(kDepends))
			continue;
		entry.remove_prefix(kDepends.size());
		while (!entry.empty()) {
			const std::string_view name = entry.substr(0, entry.find(','));
			entry.remove_prefix(std::min(name.size() + 1, entry.size()));
			if (!name.empty())
				names.push_back(module_name(name));
		}
	}
	return names;
}

}  // namespace punctual
