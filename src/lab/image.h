// SPDX-License-Identifier: GPL-2.0-only
// What the guest's root file system holds. Two archives: the base (our binary, busybox, Python, their libraries,
// the workloads), which is the same for every run, and the job (command, environment, included files), which
// travels through shared memory. So commands can change without moving anything in the guest's memory.
// With a Debian root the base has that as an archive in the place of Python and workloads, see guest_root.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/file_tree.h"
#include "lab/module_store.h"

namespace punctual {

// Where the guest finds the parts of its job, as files.
inline constexpr const char* kGuestArgv = "/run/lab/argv";                // each argument ends with NUL
inline constexpr const char* kGuestEnvironment = "/run/lab/environment";  // likewise, NAME=VALUE
inline constexpr const char* kGuestRealtime = "/run/lab/realtime_ns";     // decimal
inline constexpr const char* kGuestModules = "/run/lab/modules";  // files in the order of loading, as kGuestArgv
inline constexpr const char* kGuestHome = "/root";                // the command's working directory
inline constexpr const char* kGuestOut = "/out";                  // what --out brings back
inline constexpr const char* kGuestRootArchive = "/root.tar";     // the Debian root, if there is one

// The base as of now. Reads names and headers only; FileTree::write reads the contents.
Result<FileTree> base_tree();

// The base that brings a Debian root, a tar archive of the host, and starts that.
Result<FileTree> root_base_tree(const std::filesystem::path& archive);

struct Job {
	std::vector<std::string> argv;
	std::vector<std::string> environment;  // NAME=VALUE, on top of the guest's own
	std::vector<std::string> include;      // host files and directories
	std::vector<std::string> files = {};   // HOST:GUEST, the second absolute; likewise
	bool into_root = false;  // of a system with libraries and programs of its own: files go as they are
};

// The job's files, without those that the base has already. A relative path stays relative to the guest's
// working directory, an absolute one stays as it is; programs bring their shared libraries. argv[0] is found
// like a shell would: in the base, at its path, or on the host's PATH.
Result<FileTree> job_tree(const Job& job, const FileTree& base);

// What the guest loads before it starts the command.
void add_modules(FileTree& job, const std::vector<KernelModule>& modules);

}  // namespace punctual
