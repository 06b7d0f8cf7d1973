// SPDX-License-Identifier: GPL-2.0-only
#include "cli/doctor_facts.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/kernel_choice.h"
#include "base/process.h"
#include "object/kernel_types.h"
#include "object/libbpf_version.h"

namespace punctual {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* kTypeInfo = "/sys/kernel/btf/vmlinux";

// The options of the running kernel, as the distribution or the kernel itself keeps them; begins with a newline.
std::optional<std::string> kernel_config(const std::string& release)
{
	Result<std::string> config = read_file("/boot/config-" + release);
	if (!config) {
		Result<Captured> unpacked = run_captured({"gzip", "-dc", "/proc/config.gz"}, 10s);
		if (!unpacked || unpacked->status != 0)
			return std::nullopt;
		config = std::move(unpacked->out);
	}
	return "\n" + *config;
}

KernelTypeInfo type_info()
{
	if (::access(kTypeInfo, R_OK) != 0)
		return KernelTypeInfo::absent;
	const Result<KernelTypes> types = KernelTypes::load(kTypeInfo);
	if (!types)
		return KernelTypeInfo::without_sched_ext;
	return types->kfuncs_are_broken() ? KernelTypeInfo::broken_kfuncs : KernelTypeInfo::healthy;
}

// The line "CapEff:	000001ffffffffff" of a /proc/PID/status.
std::optional<uint64_t> effective_capabilities()
{
	constexpr std::string_view kKey = "\nCapEff:\t";
	const std::string status = read_file("/proc/self/status").value_or("");
	const size_t at = status.find(kKey);
	uint64_t bits = 0;
	if (at == std::string::npos)
		return std::nullopt;
	std::from_chars(status.data() + at + kKey.size(), status.data() + status.size(), bits, 16);
	return bits;
}

std::optional<int> bpf_jit()
{
	const Result<std::string> text = read_line("/proc/sys/net/core/bpf_jit_enable");
	return text ? std::optional(std::atoi(text->c_str())) : std::nullopt;
}

std::string loaded_scheduler_name()
{
	const Result<std::string> state = read_line("/sys/kernel/sched_ext/state");
	if (!state || *state == "disabled")
		return "";
	return read_line("/sys/kernel/sched_ext/root/ops").value_or("a scheduler (" + *state + ")");
}

// The first "N.N..." in what PROGRAM --version prints; empty when it cannot be run.
std::string version_of(const char* program)
{
	const Result<Captured> run = run_captured({program, "--version"}, 10s);
	constexpr std::string_view kKey = "version ";
	const size_t at = run ? run->out.find(kKey) : std::string::npos;
	if (at == std::string::npos)
		return "";
	const size_t begin = at + kKey.size();
	return run->out.substr(begin, run->out.find_first_not_of("0123456789.", begin) - begin);
}

std::string newest_clang()
{
	for (const char* program : {"clang-21", "clang-20", "clang-19", "clang-18", "clang-17"})
		if (!version_of(program).empty())
			return program;
	const std::string version = version_of("clang");
	return version.empty() ? "" : "clang-" + version;
}

}  // namespace

MachineFacts look_at_this_machine(const CpuList& asked)
{
	MachineFacts facts;
	utsname name{};
	if (::uname(&name) == 0)
		facts.kernel_release = name.release;
	const std::optional<std::string> config = kernel_config(facts.kernel_release);
	facts.sched_ext_present = fs::exists("/sys/kernel/sched_ext");
	if (config) {
		facts.sched_ext_configured = is_set(*config, "CONFIG_SCHED_CLASS_EXT");
		facts.group_sched = is_set(*config, "CONFIG_EXT_GROUP_SCHED");
	}
	facts.kernel_command_line = read_line("/proc/cmdline").value_or("");
	facts.type_info = type_info();
	facts.lockdown = marked_choice(read_line("/sys/kernel/security/lockdown").value_or(""));
	facts.bpf_jit = bpf_jit();
	facts.libbpf_version = libbpf_version();
	facts.clang = newest_clang();
	facts.capabilities = effective_capabilities();
	if (const Result<fs::path> mount = cgroup2_mount()) {
		facts.cgroup2_mount = mount->native();
		const std::string offered = " " + read_line(*mount / "cgroup.controllers").value_or("") + " ";
		facts.cgroup_cpu_controller = offered.find(" cpu ") != std::string::npos;
	}
	facts.loaded_scheduler = loaded_scheduler_name();
	facts.qemu_version = version_of("qemu-system-x86_64");
	facts.kvm_usable = ::access("/dev/kvm", R_OK | W_OK) == 0;
	facts.settings = look_at_settings("/", config.value_or(""));
	facts.settings.asked = asked;
	return facts;
}

}  // namespace punctual
