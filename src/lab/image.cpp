// SPDX-License-Identifier: GPL-2.0-only
#include "lab/image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/file.h"
#include "base/process.h"
#include "lab/elf_programs.h"
#include "lab/python.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

constexpr const char* kWorkloadsInGuest = "/usr/share/punctual/workloads";
constexpr const char* kBusybox = "/usr/bin/busybox";
constexpr uint32_t kProgram = 0755;
constexpr uint32_t kPlain = 0644;

uint32_t mode_of(const fs::path& file)
{
	std::error_code error;
	const bool runs = (fs::status(file, error).permissions() & fs::perms::owner_exec) != fs::perms::none;
	return runs ? kProgram : kPlain;
}

// A build for newer processors of the same library stands in such a directory; the guest's may not be one.
std::string without_hwcaps(const std::string& library)
{
	const size_t at = library.find("/glibc-hwcaps/");
	if (at == library.npos)
		return library;
	return library.substr(0, at) + library.substr(library.rfind('/'));
}

void add_libraries(FileTree& tree, const std::vector<std::string>& libraries, const FileTree* base)
{
	for (const std::string& library : libraries) {
		const std::string portable = without_hwcaps(library);
		std::error_code error;
		const std::string& host = fs::exists(portable, error) ? portable : library;
		if (!base || !base->contains(portable))
			tree.add_host_file(portable, host, kProgram);
		// The guest has no loader cache, which is what finds libraries outside of the standard places.
		const std::string standard = "/usr/lib/x86_64-linux-gnu/" + fs::path(portable).filename().native();
		if (!(base && base->contains(standard)) && !tree.contains(standard) && !portable.starts_with("/lib/") &&
		    !portable.starts_with("/usr/lib/") && !portable.starts_with("/lib64/"))
			tree.add_link(standard, portable);
	}
}

Status add_busybox(FileTree& tree)
{
	std::error_code error;
	const fs::path host = fs::exists(kBusybox, error) ? kBusybox : "/bin/busybox";
	const auto applets = run_captured({host.native(), "--list"}, std::chrono::seconds(10));
	if (!applets || applets->status != 0)
		return fail(ExitCode::lacking, "the lab needs busybox (apt install busybox-static)");
	tree.add_host_file(kBusybox, host, kProgram);
	add_libraries(tree, TRY(shared_libraries(host)), nullptr);
	std::string_view rest = applets->out;
	while (!rest.empty()) {
		const std::string_view name = rest.substr(0, rest.find('\n'));
		rest.remove_prefix(std::min(name.size() + 1, rest.size()));
		tree.add_link("/usr/bin/"s + std::string(name), "busybox");
	}
	return {};
}

Status add_ourselves(FileTree& tree)
{
	std::error_code error;
	const fs::path self = fs::read_symlink("/proc/self/exe", error);
	if (error)
		return fail(ExitCode::failed, "cannot find our own program: {}", error.message());
	tree.add_host_file("/usr/bin/punctual", self, kProgram, without_debug_information);
	tree.add_link("/init", "usr/bin/punctual");
	add_libraries(tree, TRY(shared_libraries(self)), nullptr);
	return {};
}

void add_workloads(FileTree& tree)
{
	for (const char* place : {PUNCTUAL_WORKLOADS, kWorkloadsInGuest}) {
		std::error_code error;
		if (!fs::is_directory(place, error))
			continue;
		for (const auto& entry : fs::recursive_directory_iterator(place, error)) {
			const fs::path inside = entry.path().lexically_relative(place);
			if (entry.is_regular_file(error) && entry.path().extension() != ".pyc")
				tree.add_host_file((kWorkloadsInGuest / inside).native(), entry.path(),
						   mode_of(entry.path()));
		}
		return;
	}
}

void add_skeleton(FileTree& tree)
{
	for (const char* merged : {"bin", "sbin", "lib", "lib64"})
		tree.add_link("/"s + merged, "usr/"s + merged);
	for (const char* directory : {"/dev", "/proc", "/sys", "/run", "/etc", "/usr/bin", "/usr/sbin", "/usr/lib",
				      "/usr/lib64", "/var/tmp", kGuestHome, kGuestOut})
		tree.add_directory(directory);
	tree.add_directory("/tmp", 0777);
	tree.add_text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
	tree.add_text("/etc/group", "root:x:0:\nnogroup:x:65534:\n");
	tree.add_text("/etc/hosts", "127.0.0.1 localhost lab\n::1 localhost\n");
}

// Adds one host file with what it needs to run. `guest` is where it goes. Without a base it goes alone.
Status add_file(FileTree& tree, const fs::path& host, const fs::path& guest, const FileTree* base)
{
	if (!base || !base->contains(guest.native()))
		tree.add_host_file(guest.native(), host, mode_of(host));
	const bool runs = base && mode_of(host) == kProgram;
	if (runs && is_elf(host))
		add_libraries(tree, TRY(shared_libraries(host)), base);
	const fs::path interpreter = runs ? script_interpreter(host) : fs::path();
	std::error_code error;
	if (!interpreter.empty() && !base->contains(interpreter.native()) && !tree.contains(interpreter.native()) &&
	    fs::exists(interpreter, error))
		TRY(add_file(tree, interpreter, interpreter, base));
	return {};
}

Result<fs::path> place_in_guest(const fs::path& path)
{
	fs::path clean = path.lexically_normal();
	if (clean.is_absolute())
		return clean;
	if (clean.empty() || *clean.begin() == "..")
		return fail(ExitCode::usage, "cannot include '{}': a relative path must not lead up (give it in full)",
			    path.native());
	return kGuestHome / clean;
}

Status include(FileTree& tree, const fs::path& path, const fs::path& guest, const FileTree* base)
{
	std::error_code error;
	if (!fs::exists(path, error))
		return fail(ExitCode::usage, "cannot include '{}': no such file or directory", path.native());
	if (!fs::is_directory(path, error))
		return add_file(tree, path, guest, base);
	tree.add_directory(guest.native());
	for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
		const fs::path inside = guest / entry.path().lexically_relative(path);
		if (entry.is_symlink(error))
			tree.add_link(inside.native(), fs::read_symlink(entry.path(), error).native());
		else if (entry.is_directory(error))
			tree.add_directory(inside.native());
		else if (entry.is_regular_file(error))
			TRY(add_file(tree, entry.path(), inside, base));
	}
	if (error)
		return fail(ExitCode::failed, "cannot include '{}': {}", path.native(), error.message());
	return {};
}

// HOST:GUEST. The guest's name has no colon, so the last one counts.
Status include_as(FileTree& tree, std::string_view text, const FileTree* base)
{
	const size_t colon = text.rfind(':');
	if (colon == text.npos || colon == 0 || text.substr(colon + 1, 1) != "/")
		return fail(ExitCode::usage, "'{}' is not HOST:GUEST with an absolute path of the guest", text);
	return include(tree, text.substr(0, colon), fs::path(text.substr(colon + 1)).lexically_normal(), base);
}

// Brings the command's program, unless the guest has it anyway.
Status include_program(FileTree& tree, const std::string& program, const FileTree& base)
{
	std::error_code error;
	if (program.find('/') != program.npos)
		return fs::is_regular_file(program, error) ? include(tree, program, TRY(place_in_guest(program)), &base)
							   : Status{};
	for (const char* directory : {"/usr/bin/", "/usr/sbin/"})
		if (base.contains(directory + program))
			return {};
	const char* path = std::getenv("PATH");
	std::string_view rest = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
	while (!rest.empty()) {
		const std::string_view directory = rest.substr(0, rest.find(':'));
		rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
		const fs::path candidate = fs::path(directory) / program;
		if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0)
			return add_file(tree, candidate, "/usr/bin/" + program, &base);
	}
	return fail(ExitCode::usage, "cannot start '{}' in the lab: no such program", program);
}

std::string nul_terminated(const std::vector<std::string>& texts)
{
	std::string joined;
	for (const std::string& text : texts)
		joined.append(text).push_back('\0');
	return joined;
}

}  // namespace

Result<FileTree> base_tree()
{
	FileTree tree(FileTree::Layout::merged_usr);
	add_skeleton(tree);
	TRY(add_ourselves(tree));
	const PythonFiles python = TRY(find_python());
	for (const PythonFile& file : python.files)
		tree.add_host_file(file.guest, file.host, file.mode, file.filter);
	for (const auto& [path, target] : python.links)
		tree.add_link(path, target);
	if (!python.program.empty())
		add_libraries(tree, TRY(shared_libraries(python.program, python.plugins)), nullptr);
	TRY(add_busybox(tree));  // after the real programs: the first to be added at a path stays
	add_workloads(tree);
	return tree;
}

Result<FileTree> root_base_tree(const fs::path& archive)
{
	FileTree tree(FileTree::Layout::merged_usr);
	add_skeleton(tree);
	TRY(add_ourselves(tree));
	TRY(add_busybox(tree));
	tree.add_host_file(kGuestRootArchive, archive, kPlain);
	return tree;
}

Result<FileTree> job_tree(const Job& job, const FileTree& base)
{
	if (job.argv.empty())
		return fail(ExitCode::usage, "no command to run in the lab");
	FileTree tree(FileTree::Layout::merged_usr);
	if (!job.into_root)
		TRY(include_program(tree, job.argv[0], base));
	const FileTree* with = job.into_root ? nullptr : &base;
	for (const std::string& path : job.include)
		TRY(include(tree, path, TRY(place_in_guest(path)), with));
	for (const std::string& file : job.files)
		TRY(include_as(tree, file, with));
	tree.add_text(kGuestArgv, nul_terminated(job.argv));
	tree.add_text(kGuestEnvironment, nul_terminated(job.environment));
	return tree;
}

void add_modules(FileTree& job, const std::vector<KernelModule>& modules)
{
	std::vector<std::string> files;
	files.reserve(modules.size());
	for (const KernelModule& module : modules) {
		files.push_back(fmt::format("/run/lab/{}.ko", module.name));
		job.add_text(files.back(), module.contents);
	}
	job.add_text(kGuestModules, nul_terminated(files));
}

}  // namespace punctual
