// SPDX-License-Identifier: GPL-2.0-only
#include "cli/doctor_checks.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace punctual {
namespace {

constexpr int kQemuMajorMin = 10;  // older ones are not exact in virtual time with two CPUs
constexpr int kClangMajorMin = 17;
constexpr std::string_view kSetUp = "run scripts/setup in the source tree";

struct Version {
	int major = 0;
	int minor = 0;
	auto operator<=>(const Version&) const = default;
};

// "10.0.2" -> 10, 0. Text that is no version is older than any.
Version parse_version(std::string_view text)
{
	Version version;
	const char* end = text.data() + text.size();
	const char* point = std::from_chars(text.data(), end, version.major).ptr;
	if (point != end && *point == '.')
		std::from_chars(point + 1, end, version.minor);
	return version;
}

Check check_kernel(const MachineFacts& facts)
{
	if (facts.sched_ext_present)
		return Check::good("kernel", Purpose::native, fmt::format("{} has sched_ext", facts.kernel_release));
	std::string why = "there is no /sys/kernel/sched_ext";
	if (facts.sched_ext_configured.has_value())
		why = *facts.sched_ext_configured
			  ? "configured, but there is no /sys/kernel/sched_ext: is sysfs mounted?"
			  : "CONFIG_SCHED_CLASS_EXT is not set";
	return Check::bad("kernel", Purpose::native, Level::fail,
			  fmt::format("{} has no sched_ext ({})", facts.kernel_release, why),
			  "boot a kernel that has it; Debian's have it from 6.16 on (trixie-backports)");
}

Check check_type_info(const MachineFacts& facts)
{
	switch (facts.type_info) {
	case KernelTypeInfo::absent:
		return Check::bad("btf", Purpose::native, Level::fail, "no readable /sys/kernel/btf/vmlinux",
				  "boot a kernel with CONFIG_DEBUG_INFO_BTF, as Debian's are");
	case KernelTypeInfo::broken_kfuncs:
		return Check::bad(
		    "btf", Purpose::native, Level::fail,
		    fmt::format(
			"the type information of {} is broken (scx kfuncs show a hidden argument): no scheduler loads",
			facts.kernel_release),
		    "boot another kernel: of trixie-backports 7.0 or 7.3 instead of 7.1 and 7.2");
	case KernelTypeInfo::without_sched_ext:
		if (facts.sched_ext_present)
			return Check::bad("btf", Purpose::native, Level::fail,
					  "the type information lacks struct sched_ext_ops",
					  "boot a kernel whose BTF was built with it (pahole 1.24 or newer)");
		return Check::good("btf", Purpose::native, "present, without sched_ext types like the kernel itself");
	case KernelTypeInfo::healthy:
		break;
	}
	return Check::good("btf", Purpose::native, "present and healthy");
}

Check check_jit(const MachineFacts& facts)
{
	if (!facts.bpf_jit)
		return Check::bad("bpf-jit", Purpose::native, Level::warn, "net.core.bpf_jit_enable is not readable",
				  "run as root");
	if (*facts.bpf_jit == 0)
		return Check::bad("bpf-jit", Purpose::native, Level::fail,
				  "the BPF compiler is off, which sched_ext needs",
				  "sysctl -w net.core.bpf_jit_enable=1");
	return Check::good("bpf-jit", Purpose::native, "on");
}

Check check_libbpf(const MachineFacts& facts)
{
	if (parse_version(facts.libbpf_version) < Version{1, 4})
		return Check::bad(
		    "libbpf", Purpose::native, Level::fail, fmt::format("{} is older than 1.4", facts.libbpf_version),
		    "install libbpf1 1.4 or newer (Debian 12: apt install -t bookworm-backports libbpf1)");
	return Check::good("libbpf", Purpose::native, facts.libbpf_version);
}

Check check_capabilities(const MachineFacts& facts)
{
	constexpr std::array<std::pair<int, const char*>, 3> kNeeded = {
	    {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {CAP_BPF, "CAP_BPF"}, {CAP_PERFMON, "CAP_PERFMON"}}};
	std::vector<const char*> missing;
	for (const auto& [bit, name] : kNeeded)
		if (!(facts.capabilities.value_or(0) >> bit & 1))
			missing.push_back(name);
	if (missing.empty())
		return Check::good("capabilities", Purpose::native, "CAP_SYS_ADMIN, CAP_BPF and CAP_PERFMON");
	return Check::bad("capabilities", Purpose::native, Level::fail,
			  fmt::format("this process lacks {}", fmt::join(missing, ", ")),
			  "run as root: sudo punctual doctor");
}

Check check_cgroup(const MachineFacts& facts)
{
	if (facts.cgroup2_mount.empty())
		return Check::bad("cgroup", Purpose::native, Level::fail,
				  "cgroup version 2 is not mounted, so there is nothing to budget",
				  "mount -t cgroup2 none /sys/fs/cgroup");
	if (!facts.cgroup_cpu_controller)
		return Check::bad(
		    "cgroup", Purpose::native, Level::warn,
		    fmt::format("{} has no cpu controller: budgets work, cpu.weight does not", facts.cgroup2_mount),
		    "boot with systemd.unified_cgroup_hierarchy=1");
	return Check::good("cgroup", Purpose::native,
			   fmt::format("version 2 at {} with the cpu controller", facts.cgroup2_mount));
}

Check check_other_scheduler(const MachineFacts& facts)
{
	if (facts.loaded_scheduler.empty())
		return Check::good("scheduler", Purpose::native, "no sched_ext scheduler is loaded");
	return Check::bad("scheduler", Purpose::native, Level::warn,
			  fmt::format("{} is loaded, and the kernel takes one at a time", facts.loaded_scheduler),
			  "punctual unload, or stop the service that loaded it (systemctl stop scx)");
}

// isolcpus=[FLAG,...]CPUS: without flags, or with the flag "domain", CPUs leave the scheduler's domains.
bool isolates_domains(std::string_view parameter)
{
	constexpr std::array<std::string_view, 2> kOtherFlags = {"nohz", "managed_irq"};
	bool flagged = false;
	for (;;) {
		const std::string_view word = parameter.substr(0, parameter.find(','));
		if (word == "domain")
			return true;
		if (std::ranges::find(kOtherFlags, word) == kOtherFlags.end())
			return !flagged;
		flagged = true;
		parameter.remove_prefix(std::min(word.size() + 1, parameter.size()));
	}
}

constexpr const char* kConfidential = "confidentiality: BPF programs may not read the kernel's memory";
constexpr const char* kNotConfidential = "boot with lockdown=integrity or without";

Check check_lockdown(const MachineFacts& facts)
{
	if (facts.lockdown == "confidentiality")
		return Check::bad("lockdown", Purpose::native, Level::fail, kConfidential, kNotConfidential);
	return Check::good("lockdown", Purpose::native, facts.lockdown.empty() ? "none" : facts.lockdown);
}

// Run-queue waits are traced on kernels without sched_ext too.
Check check_tracing(const MachineFacts& facts)
{
	constexpr uint64_t kNeeded = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
	if (facts.lockdown == "confidentiality")
		return Check::bad("tracing", Purpose::tracing, Level::fail, kConfidential, kNotConfidential);
	if (facts.type_info == KernelTypeInfo::absent)
		return Check::bad("tracing", Purpose::tracing, Level::fail,
				  "no type information, which the probes of the run queue need",
				  "boot a kernel with CONFIG_DEBUG_INFO_BTF, as Debian's are");
	if ((facts.capabilities.value_or(0) & kNeeded) != kNeeded)
		return Check::bad("tracing", Purpose::tracing, Level::fail,
				  "this process may not trace the run queue (CAP_BPF, CAP_PERFMON)",
				  "run as root: sudo punctual doctor");
	return Check::good("tracing", Purpose::tracing, "run-queue waits can be traced");
}

Check check_isolation(const MachineFacts& facts)
{
	constexpr std::string_view kKey = "isolcpus=";
	std::string_view rest = facts.kernel_command_line;
	while (!rest.empty()) {
		const std::string_view word = rest.substr(0, rest.find(' '));
		if (word.starts_with(kKey) && isolates_domains(word.substr(kKey.size())))
			return Check::bad(
			    "isolcpus", Purpose::native, Level::fail,
			    fmt::format("the kernel was booted with {}, which sched_ext refuses", word),
			    "remove it from the kernel command line; an isolated cpuset partition may stay");
		rest.remove_prefix(std::min(word.size() + 1, rest.size()));
	}
	return Check::good("isolcpus", Purpose::native, "not used");
}

Check check_clang(const MachineFacts& facts)
{
	const size_t dash = facts.clang.find('-');
	if (dash == std::string::npos || parse_version(facts.clang.substr(dash + 1)).major < kClangMajorMin)
		return Check::bad("clang", Purpose::building, Level::warn,
				  fmt::format("no clang {} or newer, needed only to build", kClangMajorMin),
				  std::string(kSetUp));
	return Check::good("clang", Purpose::building, facts.clang);
}

Check check_qemu(const MachineFacts& facts)
{
	if (facts.qemu_version.empty())
		return Check::bad("qemu", Purpose::lab, Level::fail, "no qemu-system-x86_64 for the lab",
				  std::string(kSetUp));
	if (parse_version(facts.qemu_version).major < kQemuMajorMin)
		return Check::bad("qemu", Purpose::lab, Level::fail,
				  fmt::format("{} is older than {}, whose virtual time the lab needs",
					      facts.qemu_version, kQemuMajorMin),
				  std::string(kSetUp));
	return Check::good("qemu", Purpose::lab, facts.qemu_version);
}

Check check_kvm(const MachineFacts& facts)
{
	if (facts.kvm_usable)
		return Check::good("kvm", Purpose::lab, "/dev/kvm can be opened");
	return Check::bad("kvm", Purpose::lab, Level::warn,
			  "no usable /dev/kvm: wall-clock lab runs are emulated, and slow",
			  "none needed for virtual time; else enable virtualization and join the group kvm");
}

}  // namespace

Check Check::good(const char* name, Purpose purpose, std::string finding)
{
	return {name, purpose, Level::ok, std::move(finding), ""};
}

Check Check::bad(const char* name, Purpose purpose, Level level, std::string finding, std::string remedy)
{
	return {name, purpose, level, std::move(finding), std::move(remedy)};
}

std::vector<Check> examine(const MachineFacts& facts)
{
	std::vector<Check> checks = {check_kernel(facts),
				     check_type_info(facts),
				     check_jit(facts),
				     check_libbpf(facts),
				     check_capabilities(facts),
				     check_cgroup(facts),
				     check_other_scheduler(facts),
				     check_isolation(facts),
				     check_lockdown(facts),
				     check_tracing(facts),
				     check_clang(facts),
				     check_qemu(facts),
				     check_kvm(facts)};
	std::ranges::move(examine_settings(facts), std::back_inserter(checks));
	return checks;
}

bool is_ready(const std::vector<Check>& checks, Purpose purpose)
{
	return std::ranges::none_of(
	    checks, [purpose](const Check& check) { return check.purpose == purpose && check.level == Level::fail; });
}

std::string verdict(const std::vector<Check>& checks)
{
	if (is_ready(checks, Purpose::native))
		return "ready: this machine can run punctual natively";
	const auto blockers = std::ranges::count_if(
	    checks, [](const Check& check) { return check.purpose == Purpose::native && check.level == Level::fail; });
	const std::string natively =
	    fmt::format("{} blocker{}: punctual cannot run natively here", blockers, blockers == 1 ? "" : "s");
	const std::string tracing = is_ready(checks, Purpose::tracing) ? "; punctual runq can" : "";
	if (is_ready(checks, Purpose::lab))
		return natively + ", but the lab can: punctual bench --lab" + tracing;
	return natively + ", and the lab is not ready either" + tracing;
}

}  // namespace punctual
