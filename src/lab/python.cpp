// SPDX-License-Identifier: GPL-2.0-only
#include "lab/python.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/file.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3";

// Directories of the standard library that nothing in a measurement needs; the sizes are what they would add.
constexpr std::array<std::string_view, 19> kLeftOut =
    {
	"test",    "tests",      "idlelib", "lib2to3", "pydoc_data",  "distutils", "ensurepip",
	"tkinter", "turtledemo", "venv",    "xmlrpc",  "wsgiref",     "curses",    "dbm",
	"sqlite3", "msilib",     "pyrepl",  "_pyrepl", "__pycache__",  // byte code goes beside
};

// Extension modules that would pull in large libraries, or exist for tests.
constexpr std::array<std::string_view, 15> kPluginsLeftOut = {
    "_ssl.", "_hashlib.", "_sqlite3.", "_tkinter.", "readline.", "_curses", "_dbm.",         "_gdbm.",
    "_test", "_codecs_",  "_xx",       "xx",        "nis.",      "_crypt.", "_ctypes_test.",
};

// Single modules for people and mail, not for measurements.
constexpr std::array<std::string_view, 9> kModulesLeftOut = {
    "turtle.py", "_pydecimal.py", "pydoc.py",   "doctest.py",     "mailbox.py",
    "_pyio.py",  "nntplib.py",    "imaplib.py", "pickletools.py",
};

// Encodings that Python itself, zip archives and common data need.
constexpr std::array<std::string_view, 14> kEncodings = {
    "__init__", "aliases", "ascii",  "cp437",     "hex_codec", "idna",      "latin_1",
    "punycode", "utf_8",   "utf_16", "utf_16_le", "utf_16_be", "utf_8_sig", "utf_32",
};

template <size_t N>
bool starts_with_any(std::string_view name, const std::array<std::string_view, N>& prefixes)
{
	return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool wanted_directory(const std::string& name)
{
	return std::ranges::find(kLeftOut, name) == kLeftOut.end() && !name.starts_with("config-");
}

bool wanted_module(const fs::path& inside)
{
	if (inside.extension() == ".so")
		return !starts_with_any(inside.filename().native(), kPluginsLeftOut);
	if (inside.extension() != ".py")
		return false;
	if (inside.parent_path() == "encodings")
		return std::ranges::find(kEncodings, inside.stem().native()) != kEncodings.end();
	return std::ranges::find(kModulesLeftOut, inside.native()) == kModulesLeftOut.end();
}

// True when `pyc` was made from `source` as it is now: its header holds the source's time and size.
bool is_fresh(const fs::path& pyc, const fs::path& source)
{
	struct stat info;
	const auto bytes = read_file(pyc);
	if (!bytes || bytes->size() < 16 || ::stat(source.c_str(), &info) != 0)
		return false;
	std::array<uint32_t, 4> header;  // magic, flags, time, size
	std::memcpy(header.data(), bytes->data(), sizeof(header));
	return header[1] == 0 && header[2] == static_cast<uint32_t>(info.st_mtime) &&
	       header[3] == static_cast<uint32_t>(info.st_size);
}

void add_module(PythonFiles& python, const fs::path& source, const std::string& tag)
{
	if (source.extension() == ".so")
		python.plugins.push_back(source.native());
	const fs::path pyc = source.parent_path() / "__pycache__" / (source.stem().native() + "." + tag + ".pyc");
	if (is_fresh(pyc, source))  // then the source is not needed, and each megabyte costs 40 ms of boot
		python.files.push_back({source.native() + "c", pyc, 0644, unchecked_byte_code});
	else
		python.files.push_back({source.native(), source, 0644, {}});
}

}  // namespace

std::string unchecked_byte_code(std::string pyc)
{
	constexpr uint32_t kHashBased = 1;  // without the flag for "check the source"
	if (pyc.size() < 16)
		return pyc;
	std::memset(pyc.data() + 4, 0, 12);  // flags and the hash, which nobody looks at
	std::memcpy(pyc.data() + 4, &kHashBased, sizeof(kHashBased));
	return pyc;
}

Result<PythonFiles> find_python()
{
	PythonFiles python;
	std::error_code error;
	const fs::path program = fs::canonical(kPython, error);  // /usr/bin/python3.11
	if (error)
		return python;
	const std::string name = program.filename().native();
	const fs::path library = fs::path("/usr/lib") / name;
	if (!name.starts_with("python3.") || !fs::is_directory(library, error))
		return python;
	const std::string tag = "cpython-3" + name.substr(std::strlen("python3."));  // cpython-311

	python.program = program;
	python.files.push_back({program.native(), program, 0755, {}});
	python.links.emplace_back(kPython, name);
	fs::recursive_directory_iterator walk(library, error);
	for (const auto end = fs::end(walk); !error && walk != end; walk.increment(error)) {
		const fs::path inside = walk->path().lexically_relative(library);
		std::error_code dangling;  // a link to nowhere is neither of both
		if (walk->is_directory(dangling) && !wanted_directory(inside.filename().native()))
			walk.disable_recursion_pending();
		else if (walk->is_regular_file(dangling) && wanted_module(inside))
			add_module(python, walk->path(), tag);
	}
	if (error)
		return fail(ExitCode::failed, "cannot list {}: {}", library.native(), error.message());
	return python;
}

}  // namespace punctual
