// SPDX-License-Identifier: GPL-2.0-only
// punctual completions: a script for a shell, made of the commands and options that this very program has.
#include <memory>

#include "cli/commands.h"
#include "cli/completion_script.h"
#include "object/builtin.h"

namespace punctual {
namespace {

// Of a description only its beginning: a list has a line for each.
std::string first_words(const std::string& description)
{
	constexpr size_t kLengthMax = 70;
	std::string text = description.substr(0, description.find_first_of(".;\n"));
	if (text.size() > kLengthMax)
		text = text.substr(0, text.rfind(' ', kLengthMax)) + " ...";
	return text;
}

CommandWords words_of(const CLI::App& app)
{
	CommandWords words{.name = app.get_name(), .summary = first_words(app.get_description())};
	for (const CLI::Option* option : app.get_options()) {
		if (!option->nonpositional()) {
			if (option->get_name() == "SCHED")
				for (const Builtin& builtin : builtin_schedulers())
					words.operands.emplace_back(builtin.name);
			continue;
		}
		OptionWords found{.summary = first_words(option->get_description()),
				  .takes_value = option->get_expected_max() > 0};
		for (const std::string& name : option->get_snames())
			found.names.push_back("-" + name);
		for (const std::string& name : option->get_lnames())
			found.names.push_back("--" + name);
		words.options.push_back(std::move(found));
	}
	for (const CLI::App* below : app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); }))
		words.commands.push_back(words_of(*below));
	return words;
}

}  // namespace

Action setup_completions(CLI::App& app)
{
	auto shell = std::make_shared<std::string>();
	app.add_option("SHELL", *shell, "bash, zsh or fish")->required();
	app.footer(
	    "Examples:\n"
	    "  source <(punctual completions bash)\n"
	    "  punctual completions fish > ~/.config/fish/completions/punctual.fish");
	return [&app, shell]() -> Result<ExitCode> {
		const std::optional<Shell> wanted = parse_shell(*shell);
		if (!wanted)
			return fail(ExitCode::usage, "shell '{}': give bash, zsh or fish", *shell);
		fmt::print("{}", completion_script(*wanted, words_of(*app.get_parent())));
		return ExitCode::ok;
	};
}

}  // namespace punctual
