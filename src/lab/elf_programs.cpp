// SPDX-License-Identifier: GPL-2.0-only
#include "lab/elf_programs.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/process.h"

namespace punctual {
namespace {

constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

std::string first_bytes(const std::filesystem::path& file, size_t bytes)
{
	std::string start(bytes, '\0');
	std::ifstream stream(file, std::ios::binary);
	stream.read(start.data(), static_cast<std::streamsize>(bytes));
	start.resize(static_cast<size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
	return start;
}

// "	libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f...)"; the loader and preloaded files have no arrow.
std::string library_in(std::string_view line)
{
	if (const size_t arrow = line.find("=> "); arrow != line.npos)
		line.remove_prefix(arrow + 3);
	line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
	return line.starts_with('/') ? std::string(line.substr(0, line.find(" ("))) : "";
}

}  // namespace

bool is_elf(const std::filesystem::path& file)
{
	return first_bytes(file, SELFMAG) == ELFMAG;
}

std::filesystem::path script_interpreter(const std::filesystem::path& file)
{
	const std::string start = first_bytes(file, 256);
	if (!start.starts_with("#!"))
		return {};
	const size_t from = std::min(start.find_first_not_of(" \t", 2), start.size());
	return start.substr(from, start.find_first_of(" \t\r\n", from) - from);
}

Result<std::vector<std::string>> shared_libraries(const std::filesystem::path& program,
						  const std::vector<std::string>& plugins)
{
	// The same as ldd does, without its shell. A clean environment: LD_LIBRARY_PATH must not choose.
	std::vector<std::string> argv = {"/usr/bin/env", "-i", kLoader, "--list"};
	if (!plugins.empty()) {
		std::string joined;
		for (const std::string& plugin : plugins)
			joined += (joined.empty() ? "" : ":") + plugin;
		argv.insert(argv.end(), {"--preload", joined});
	}
	argv.push_back(program.native());
	const Captured listing = TRY(run_captured(argv, std::chrono::seconds(60)));
	std::vector<std::string> libraries;
	if (listing.status != 0)  // static programs have nothing to list, and the loader calls that an error
		return libraries;
	std::string_view rest = listing.out;
	while (!rest.empty()) {
		const std::string_view line = rest.substr(0, rest.find('\n'));
		rest.remove_prefix(std::min(line.size() + 1, rest.size()));
		if (line.ends_with("not found"))
			return fail(ExitCode::lacking, "{} does not run here: {}", program.native(),
				    line.substr(std::min(line.find_first_not_of(" \t"), line.size())));
		const std::string library = library_in(line);
		if (!library.empty() && std::ranges::find(plugins, library) == plugins.end())
			libraries.push_back(library);
	}
	return libraries;
}

std::string without_debug_information(std::string elf)
{
	Elf64_Ehdr header;
	if (elf.size() < sizeof(header) || !elf.starts_with(ELFMAG) || elf[EI_CLASS] != ELFCLASS64)
		return elf;
	std::memcpy(&header, elf.data(), sizeof(header));
	if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > elf.size() ||
	    header.e_phnum > (elf.size() - header.e_phoff) / sizeof(Elf64_Phdr))
		return elf;
	uint64_t end = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
	for (int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;
		std::memcpy(&segment, elf.data() + header.e_phoff + i * sizeof(segment), sizeof(segment));
		end = std::max(end, segment.p_offset + segment.p_filesz);
	}
	if (end > elf.size())
		return elf;
	elf.resize(end);
	header.e_shoff = 0;  // the table of sections lay behind the segments
	header.e_shnum = 0;
	header.e_shstrndx = SHN_UNDEF;
	std::memcpy(elf.data(), &header, sizeof(header));
	return elf;
}

}  // namespace punctual
