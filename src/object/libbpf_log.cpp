// SPDX-License-Identifier: GPL-2.0-only
#include "object/libbpf_log.h"

#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace punctual {
namespace {

constexpr size_t kLogBytesMax = 16 << 20;

std::string* current = nullptr;

int append(enum libbpf_print_level level, const char* format, va_list args)
{
	if (level == LIBBPF_DEBUG || !current || current->size() > kLogBytesMax)
		return 0;
	char* line = nullptr;  // the verifier's log comes as one "line" of any length
	if (vasprintf(&line, format, args) >= 0)
		current->append(line);
	free(line);
	return 0;
}

}  // namespace

LibbpfLog::LibbpfLog() : outer_(current), previous_(libbpf_set_print(append))
{
	current = &text_;
}

LibbpfLog::~LibbpfLog()
{
	current = outer_;
	libbpf_set_print(previous_);
}

std::string LibbpfLog::keep(std::string_view name) const
{
	std::string file;
	for (char c : name)  // it may come from somebody else's object: not a path of their choice
		file += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ? c : '_';
	std::error_code error;
	std::filesystem::path directory = std::filesystem::temp_directory_path(error);
	std::string path = fmt::format("{}/punctual-{}.log", error ? "/tmp" : directory.native(), file);
	return replace_file(path, text_) ? path : "(could not be written)";
}

}  // namespace punctual
