// SPDX-License-Identifier: GPL-2.0-only
#include "cli/completion_script.h"

#include <fmt/format.h>

namespace punctual {
namespace {

constexpr const char* kProgram = "punctual";

// "bench" of the program is "/bench", "set" of budget is "/budget/set"; the program itself is "".
using Visit = void (*)(std::string& text, const std::string& place, const CommandWords& command);

void walk(std::string& text, const std::string& place, const CommandWords& command, Visit visit)
{
	visit(text, place, command);
	for (const CommandWords& below : command.commands)
		walk(text, place + "/" + below.name, below, visit);
}

// In single quotes, which bash, zsh and fish read alike but for a quote itself.
std::string quoted(std::string_view text)
{
	std::string result = "'";
	for (const char c : text)
		result += c == '\'' ? std::string("'\\''") : std::string(1, c);
	return result + "'";
}

// "name:summary" of zsh's _describe, in which a colon of the name would end it.
std::string described(std::string_view name, std::string_view summary)
{
	std::string result;
	for (const char c : name)
		result += c == ':' ? std::string("\\:") : std::string(1, c);
	return quoted(fmt::format("{}:{}", result, summary));
}

// Where the word before the cursor is, in bash and in zsh: both know `case`.
std::string step_cases(const CommandWords& program)
{
	std::string text;
	walk(text, "", program, [](std::string& cases, const std::string& place, const CommandWords&) {
		if (!place.empty())
			cases += fmt::format("\t\t{0}) at={0} ;;\n", place);
	});
	return text;
}

std::string values_of(const CommandWords& command)
{
	std::string names;
	for (const OptionWords& option : command.options)
		for (const std::string& name : option.names)
			if (option.takes_value)
				names += (names.empty() ? "" : " ") + name;
	return names;
}

void bash_case(std::string& text, const std::string& place, const CommandWords& command)
{
	std::string words;
	for (const OptionWords& option : command.options)
		for (const std::string& name : option.names)
			words += " " + name;
	for (const std::string& operand : command.operands)
		words += " " + operand;
	for (const CommandWords& below : command.commands)
		words += " " + below.name;
	text += fmt::format("\t'{}') words={} values={} ;;\n", place, quoted(words), quoted(values_of(command)));
}

void zsh_case(std::string& text, const std::string& place, const CommandWords& command)
{
	text += fmt::format("\t'{}')\n\t\tvalues=({})\n\t\titems=(\n", place, values_of(command));
	for (const OptionWords& option : command.options)
		for (const std::string& name : option.names)
			text += fmt::format("\t\t\t{}\n", described(name, option.summary));
	for (const std::string& operand : command.operands)
		text += fmt::format("\t\t\t{}\n", described(operand, ""));
	for (const CommandWords& below : command.commands)
		text += fmt::format("\t\t\t{}\n", described(below.name, below.summary));
	text += "\t\t) ;;\n";
}

std::string bash_script(const CommandWords& program)
{
	std::string cases;
	walk(cases, "", program, bash_case);
	return fmt::format(R"(# Completion of {0} for bash, by `{0} completions bash`.
_{0}() {{
	local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} at='' words='' values='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case $at/${{COMP_WORDS[i]}} in
		*/--) return 0 ;; # behind it stands another program
{1}		esac
	done
	case $at in
{2}	esac
	[[ " $values " != *" $prev "* ]] || return 0
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}}
complete -o default -F _{0} {0}
)",
			   kProgram, step_cases(program), cases);
}

std::string zsh_script(const CommandWords& program)
{
	std::string cases;
	walk(cases, "", program, zsh_case);
	return fmt::format(R"(#compdef {0}
# Completion of {0} for zsh, by `{0} completions zsh`.
_{0}() {{
	local at='' i
	local -a items values
	for ((i = 2; i < CURRENT; i++)); do
		case $at/$words[i] in
		*/--) words=("${{(@)words[i+1,-1]}}"); (( CURRENT -= i )); _normal; return ;; # another program
{1}		esac
	done
	case $at in
{2}	esac
	if (( $values[(Ie)$words[CURRENT-1]] )); then
		_files
		return
	fi
	_describe -o {0} items
	[[ $PREFIX == -* || -z $at ]] || _files
}}
if [[ $funcstack[1] == _{0} ]]; then
	_{0} "$@"
else
	compdef _{0} {0}
fi
)",
			   kProgram, step_cases(program), cases);
}

// All commands on the way to `place` were seen; for the program itself, none of its commands was.
std::string fish_condition(const std::string& place)
{
	std::string condition;
	for (size_t at = 0; at < place.size();) {
		const size_t end = std::min(place.find('/', at + 1), place.size());
		condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
					 place.substr(at + 1, end - at - 1));
		at = end;
	}
	return condition.empty() ? "__fish_use_subcommand" : condition;
}

void fish_lines(std::string& text, const std::string& place, const CommandWords& command)
{
	const std::string start = fmt::format("complete -c {} -n {}", kProgram, quoted(fish_condition(place)));
	for (const OptionWords& option : command.options) {
		text += start;
		for (const std::string& name : option.names)
			text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
		text += fmt::format("{} -d {}\n", option.takes_value ? " -r" : "", quoted(option.summary));
	}
	// Behind "--" stands another program.
	const std::string before = fish_condition(place) + "; and not contains -- -- (commandline -opc)";
	for (const std::string& operand : command.operands)
		text += fmt::format("complete -c {} -n {} -a {}\n", kProgram, quoted(before), operand);
	for (const CommandWords& below : command.commands)
		text += fmt::format("{} -f -a {} -d {}\n", start, below.name, quoted(below.summary));
}

std::string fish_script(const CommandWords& program)
{
	std::string text = fmt::format("# Completion of {0} for fish, by `{0} completions fish`.\n", kProgram);
	walk(text, "", program, fish_lines);
	return text;
}

}  // namespace

std::optional<Shell> parse_shell(std::string_view name)
{
	if (name == "bash")
		return Shell::bash;
	if (name == "zsh")
		return Shell::zsh;
	if (name == "fish")
		return Shell::fish;
	return std::nullopt;
}

std::string completion_script(Shell shell, const CommandWords& program)
{
	switch (shell) {
	case Shell::bash:
		return bash_script(program);
	case Shell::zsh:
		return zsh_script(program);
	case Shell::fish:
		break;
	}
	return fish_script(program);
}

}  // namespace punctual
