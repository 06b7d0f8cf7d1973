// SPDX-License-Identifier: GPL-2.0-only
// What a shell completes after "punctual ", as a script for it. Pure text from the tree of commands.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punctual {

struct OptionWords {
	std::vector<std::string> names = {};  // "-j", "--json"
	std::string summary;                  // a line
	bool takes_value = false;
};

struct CommandWords {
	std::string name;
	std::string summary;
	std::vector<OptionWords> options = {};
	std::vector<std::string> operands = {};  // words that may stand there besides files
	std::vector<CommandWords> commands = {};
};

enum class Shell { bash, zsh, fish };

std::optional<Shell> parse_shell(std::string_view name);

// To be sourced, or put where the shell looks for completions. Where a value is wanted, files are offered.
// `program` is that of punctual itself.
std::string completion_script(Shell shell, const CommandWords& program);

}  // namespace punctual
