// SPDX-License-Identifier: GPL-2.0-only
#include "object/open.h"

#include <elf.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>

#include <bpf/libbpf.h>

#include "object/builtin.h"
#include "object/libbpf_log.h"
#include "object/ops_fields.h"
#include "object/trial.h"
#include "object/variables.h"

namespace punctual {
namespace {

constexpr auto kReadLimit = std::chrono::seconds(30);

Result<ObjectPtr> open_builtin(const Builtin& builtin)
{
	std::string name(builtin.name);  // else map names would begin with the address of the bytes
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name.c_str());
	ObjectPtr object(bpf_object__open_mem(builtin.object.data(), builtin.object.size(), &options));
	if (!object)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot open the built-in {}", name));
	return object;
}

std::unexpected<Error> unknown_scheduler(const std::string& sched, int error)
{
	if (error != ENOENT && error != ENOTDIR)
		return fail_errno(error, ExitCode::usage, fmt::format("cannot read '{}'", sched));
	std::string names;
	for (const Builtin& builtin : builtin_schedulers())
		names += fmt::format("{}{}", names.empty() ? "" : ", ", builtin.name);
	return fail(ExitCode::usage, "unknown scheduler '{}': give {} or the path of a BPF object (.bpf.o)", sched,
		    names);
}

// The ELF header is asked first: libbpf's own answer is only a number.
Status check_header(const std::string& path)
{
	struct stat info;
	if (stat(path.c_str(), &info) != 0)
		return unknown_scheduler(path, errno);
	Elf64_Ehdr header = {};
	if (S_ISREG(info.st_mode)) {
		std::ifstream file(path, std::ios::binary);
		if (!file)
			return unknown_scheduler(path, errno);
		file.read(reinterpret_cast<char*>(&header), sizeof(header));
	}
	if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_machine == EM_BPF)
		return {};
	const char* kind = S_ISDIR(info.st_mode)                               ? "a directory"
			   : std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 ? "a program for another machine"
									       : "no ELF file";
	return fail(ExitCode::usage, "'{}' is {}, not a BPF object (built by clang -target bpf -g)", path, kind);
}

Result<ObjectPtr> open_file(const std::string& path)
{
	TRY(check_header(path));
	TRY(try_in_copy(path, "reading", kReadLimit, [&path] {
		const ObjectPtr copy(bpf_object__open_file(path.c_str(), nullptr));
		if (copy && OpsFields::of(copy.get()))
			Variables::of(copy.get());
	}));
	ObjectPtr object(bpf_object__open_file(path.c_str(), nullptr));
	if (!object)
		return fail(ExitCode::usage, "'{}' is a damaged or incomplete BPF object ({}): build it again", path,
			    std::strerror(errno));
	if (auto ops = OpsFields::of(object.get()); !ops)
		return fail(ExitCode::usage, "'{}' {}", path, ops.error().what);
	return object;
}

}  // namespace

void ObjectClose::operator()(bpf_object* object) const
{
	bpf_object__close(object);
}

Result<ObjectPtr> open_object(std::string_view sched)
{
	LibbpfLog quiet;
	const Builtin* builtin = find_builtin(sched);
	return builtin ? open_builtin(*builtin) : open_file(std::string(sched));
}

}  // namespace punctual
