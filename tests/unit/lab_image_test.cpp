// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/process.h"
#include "lab/console_tail.h"
#include "lab/elf_programs.h"
#include "lab/image.h"
#include "lab/python.h"

namespace punctual {
namespace {

TEST(ConsoleTail, KeepsTheLastLinesWithoutTerminalSequences)
{
	EXPECT_EQ(console_tail("one\r\n\x1b[2Jtwo\nthree\n\n", 2), "\n    two\n    three");
	EXPECT_EQ(console_tail("only", 30), "\n    only");
	EXPECT_EQ(console_tail("", 30), "");
	EXPECT_EQ(console_tail("\x1b", 30), "");
}

std::filesystem::path this_program()
{
	return std::filesystem::read_symlink("/proc/self/exe");
}

TEST(ElfPrograms, LibrariesOfOurselvesAreFound)
{
	const auto libraries = shared_libraries(this_program());
	ASSERT_TRUE(libraries) << libraries.error().what;
	bool has_libc = false;
	bool has_loader = false;
	for (const std::string& library : *libraries) {
		has_libc |= library.ends_with("/libc.so.6");
		has_loader |= library.starts_with("/lib64/ld-linux");
	}
	EXPECT_TRUE(has_libc);
	EXPECT_TRUE(has_loader);
}

TEST(ElfPrograms, StillRunsWithoutDebugInformation)
{
	const TempDir work = *TempDir::create("lab-elf-");
	const std::string whole = read_file(this_program()).value();
	const std::string trimmed = without_debug_information(whole);
	EXPECT_LT(trimmed.size(), whole.size());
	const std::filesystem::path program = work.path() / "program";
	ASSERT_TRUE(replace_file(program, trimmed));
	std::filesystem::permissions(program, std::filesystem::perms::owner_all);
	const auto listing = run_captured({program.native(), "--gtest_list_tests"}, std::chrono::seconds(30));
	ASSERT_TRUE(listing) << listing.error().what;
	EXPECT_NE(listing->out.find("StillRunsWithoutDebugInformation"), std::string::npos);
}

TEST(ElfPrograms, WhatIsNoProgramIsLeftAlone)
{
	EXPECT_EQ(without_debug_information("#!/bin/sh\n"), "#!/bin/sh\n");
	EXPECT_EQ(without_debug_information("\x7f"
					    "ELF"),
		  "\x7f"
		  "ELF");
	std::string broken = read_file(this_program()).value().substr(0, 200);  // its segments are missing
	EXPECT_EQ(without_debug_information(broken), broken);
}

TEST(ElfPrograms, ScriptsNameTheirInterpreter)
{
	const TempDir work = *TempDir::create("lab-script-");
	const auto interpreter = [&](std::string_view text) {
		EXPECT_TRUE(replace_file(work.path() / "script", text));
		return script_interpreter(work.path() / "script").native();
	};
	EXPECT_EQ(interpreter("#!/bin/sh\n"), "/bin/sh");
	EXPECT_EQ(interpreter("#! /usr/bin/env python3\n"), "/usr/bin/env");
	EXPECT_EQ(interpreter("#!"), "");
	EXPECT_EQ(interpreter("echo\n"), "");
}

TEST(PythonFiles, ByteCodeNoLongerDependsOnItsSource)
{
	const std::string code = "MAGC" + std::string("\x00\x00\x00\x00", 4) + "timesize" + "code";
	const std::string unchecked = unchecked_byte_code(code);
	EXPECT_EQ(unchecked.substr(0, 4), "MAGC");
	EXPECT_EQ(unchecked.substr(4, 12), std::string("\x01\0\0\0\0\0\0\0\0\0\0\0", 12));
	EXPECT_EQ(unchecked.substr(16), "code");
}

TEST(JobTree, RelativePathsStandBelowTheGuestsHome)
{
	const TempDir work = *TempDir::create("lab-job-");
	ASSERT_TRUE(replace_file(work.path() / "data", "x"));
	const std::filesystem::path before = std::filesystem::current_path();
	std::filesystem::current_path(work.path());
	FileTree base(FileTree::Layout::merged_usr);
	base.add_text("/usr/bin/cat", "", 0755);
	const auto relative = job_tree({{"cat"}, {}, {"data"}}, base);
	const auto absolute = job_tree({{"cat"}, {}, {work.path() / "data"}}, base);
	const auto upwards = job_tree({{"cat"}, {}, {"../data"}}, base);
	std::filesystem::current_path(before);
	ASSERT_TRUE(relative && absolute);
	EXPECT_TRUE(relative->contains("/root/data"));
	EXPECT_TRUE(absolute->contains((work.path() / "data").native()));
	EXPECT_FALSE(upwards);
	EXPECT_FALSE(relative->contains("/usr/bin/cat"));  // the base has it
}

TEST(JobTree, WhatDoesNotExistIsAUsageError)
{
	const FileTree base(FileTree::Layout::merged_usr);
	EXPECT_EQ(job_tree({{}, {}, {}}, base).error().code, ExitCode::usage);
	EXPECT_EQ(job_tree({{"no-such-program-here"}, {}, {}}, base).error().code, ExitCode::usage);
	EXPECT_EQ(job_tree({{"sh"}, {}, {"no-such-file"}}, base).error().code, ExitCode::usage);
}

TEST(JobTree, ProgramOfTheHostBringsItsLibraries)
{
	const FileTree base(FileTree::Layout::merged_usr);
	const auto job = job_tree({{"env"}, {}, {}}, base);
	ASSERT_TRUE(job) << job.error().what;
	EXPECT_TRUE(job->contains("/usr/bin/env"));
	EXPECT_TRUE(job->contains("/lib/x86_64-linux-gnu/libc.so.6"));
	EXPECT_TRUE(job->contains("/lib64/ld-linux-x86-64.so.2"));
}

}  // namespace
}  // namespace punctual
