// SPDX-License-Identifier: GPL-2.0-only
// The part of Debian's Python 3 that goes into the guest: interpreter, standard library without tests, tools and
// exotic encodings, and its byte code in a form that needs no file times (compiling in the guest would cost
// seconds of emulation).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace punctual {

struct PythonFile {
	std::string guest;
	std::filesystem::path host;
	uint32_t mode;
	std::function<std::string(std::string)> filter;
};

struct PythonFiles {
	std::filesystem::path program;     // empty: this machine has no Python 3 in /usr/bin
	std::vector<std::string> plugins;  // extension modules, which need libraries too
	std::vector<PythonFile> files;
	std::vector<std::pair<std::string, std::string>> links;
};

Result<PythonFiles> find_python();

// Byte code that Python takes without looking at its source's time and size ("unchecked hash", PEP 552).
std::string unchecked_byte_code(std::string pyc);

}  // namespace punctual
