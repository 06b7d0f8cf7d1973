// SPDX-License-Identifier: GPL-2.0-only
#include "cli/doctor_checks.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>

namespace punctual {
namespace {

// A machine with nothing wrong; each test breaks one thing.
MachineFacts healthy()
{
	MachineFacts facts;
	facts.kernel_release = "6.18.15+deb13-cloud-amd64";
	facts.sched_ext_present = true;
	facts.sched_ext_configured = true;
	facts.kernel_command_line = "root=/dev/vda1 quiet";
	facts.type_info = KernelTypeInfo::healthy;
	facts.bpf_jit = 1;
	facts.libbpf_version = "1.4";
	facts.clang = "clang-19";
	facts.capabilities = ~0ULL;
	facts.cgroup2_mount = "/sys/fs/cgroup";
	facts.cgroup_cpu_controller = true;
	facts.qemu_version = "10.0.2";
	facts.kvm_usable = true;
	return facts;
}

Check check_of(const MachineFacts& facts, std::string_view name)
{
	for (const Check& check : examine(facts))
		if (check.name == name)
			return check;
	ADD_FAILURE() << "no check " << name;
	return {};
}

bool mentions(const std::string& text, std::string_view part)
{
	return text.find(part) != std::string::npos;
}

TEST(Doctor, HealthyMachineHasNothingToSay)
{
	const std::vector<Check> checks = examine(healthy());
	for (const Check& check : checks) {
		EXPECT_EQ(check.level, Level::ok) << check.name << ": " << check.finding;
		EXPECT_EQ(check.remedy, "") << check.name;
	}
	EXPECT_TRUE(is_ready(checks, Purpose::native));
	EXPECT_TRUE(mentions(verdict(checks), "ready"));
}

TEST(Doctor, EverythingWrongHasARemedy)
{
	for (const Check& check : examine(MachineFacts{})) {
		EXPECT_EQ(check.remedy.empty(), check.level == Level::ok) << check.name;
		EXPECT_NE(check.finding, "") << check.name;
		EXPECT_EQ(check.finding.find('\n'), std::string::npos);  // one line each
	}
}

TEST(Doctor, NamesTheMissingKernelOption)
{
	// A version test would be wrong: Debian's 6.12 has sched_ext in the source but not in the build.
	MachineFacts facts = healthy();
	facts.kernel_release = "6.12.95";
	facts.sched_ext_present = false;
	facts.sched_ext_configured = false;
	const Check check = check_of(facts, "kernel");
	EXPECT_EQ(check.level, Level::fail);
	EXPECT_TRUE(mentions(check.finding, "CONFIG_SCHED_CLASS_EXT is not set")) << check.finding;
	EXPECT_TRUE(mentions(check.remedy, "6.16")) << check.remedy;
}

TEST(Doctor, BrokenKfuncsAreABlockerOnAnOtherwiseGoodKernel)
{
	MachineFacts facts = healthy();
	facts.type_info = KernelTypeInfo::broken_kfuncs;
	EXPECT_EQ(check_of(facts, "btf").level, Level::fail);
	EXPECT_FALSE(is_ready(examine(facts), Purpose::native));
}

TEST(Doctor, MissingTypesAreBlamedOnTheKernelOnlyOnce)
{
	MachineFacts facts = healthy();
	facts.type_info = KernelTypeInfo::without_sched_ext;
	EXPECT_EQ(check_of(facts, "btf").level, Level::fail);
	// A kernel without sched_ext cannot have its types: the kernel is the finding, not its BTF.
	facts.sched_ext_present = false;
	EXPECT_EQ(check_of(facts, "btf").level, Level::ok);
	facts.type_info = KernelTypeInfo::absent;
	EXPECT_EQ(check_of(facts, "btf").level, Level::fail);
}

TEST(Doctor, OldLibbpfIsABlockerAndVersionsAreNumbers)
{
	MachineFacts facts = healthy();
	for (const char* old : {"", "0.8", "1.1", "1.3"}) {
		facts.libbpf_version = old;
		EXPECT_EQ(check_of(facts, "libbpf").level, Level::fail) << old;
	}
	for (const char* good : {"1.4", "1.10", "2.0"}) {  // 1.10 is newer than 1.4
		facts.libbpf_version = good;
		EXPECT_EQ(check_of(facts, "libbpf").level, Level::ok) << good;
	}
}

TEST(Doctor, NamesEachMissingCapability)
{
	MachineFacts facts = healthy();
	facts.capabilities = ~(1ULL << CAP_PERFMON);
	const Check check = check_of(facts, "capabilities");
	EXPECT_EQ(check.level, Level::fail);
	EXPECT_TRUE(mentions(check.finding, "CAP_PERFMON"));
	EXPECT_FALSE(mentions(check.finding, "CAP_BPF"));
	facts.capabilities = std::nullopt;
	EXPECT_TRUE(mentions(check_of(facts, "capabilities").finding, "CAP_SYS_ADMIN"));
}

TEST(Doctor, RunQueueCanBeTracedWithoutSchedExt)
{
	MachineFacts facts = healthy();
	facts.sched_ext_present = false;
	facts.type_info = KernelTypeInfo::without_sched_ext;
	facts.capabilities = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
	EXPECT_TRUE(is_ready(examine(facts), Purpose::tracing));
	EXPECT_TRUE(mentions(verdict(examine(facts)), "punctual runq can")) << verdict(examine(facts));
	facts.capabilities = 1ULL << CAP_BPF;
	EXPECT_FALSE(is_ready(examine(facts), Purpose::tracing));
	facts.capabilities = ~0ULL;
	facts.type_info = KernelTypeInfo::absent;
	EXPECT_FALSE(is_ready(examine(facts), Purpose::tracing));
}

TEST(Doctor, ConfidentialKernelLoadsNeitherSchedulerNorProbes)
{
	MachineFacts facts = healthy();
	facts.lockdown = "integrity";
	EXPECT_TRUE(is_ready(examine(facts), Purpose::native));
	facts.lockdown = "confidentiality";
	EXPECT_EQ(check_of(facts, "lockdown").level, Level::fail);
	EXPECT_FALSE(is_ready(examine(facts), Purpose::native));
	EXPECT_FALSE(is_ready(examine(facts), Purpose::tracing));
}

TEST(Doctor, HybridCgroupsAreAWarning)
{
	MachineFacts facts = healthy();
	facts.cgroup_cpu_controller = false;
	EXPECT_EQ(check_of(facts, "cgroup").level, Level::warn);
	facts.cgroup2_mount = "";
	EXPECT_EQ(check_of(facts, "cgroup").level, Level::fail);
}

TEST(Doctor, NamesTheSchedulerInTheWay)
{
	MachineFacts facts = healthy();
	facts.loaded_scheduler = "lavd";
	const Check check = check_of(facts, "scheduler");
	EXPECT_EQ(check.level, Level::warn);  // somebody wanted it; not a fault of the machine
	EXPECT_TRUE(mentions(check.finding, "lavd"));
}

TEST(Doctor, OnlyDomainIsolationIsRefused)
{
	MachineFacts facts = healthy();
	for (const char* bad :
	     {"isolcpus=2-3", "isolcpus=2,3", "isolcpus=domain,2", "isolcpus=nohz,domain,2-3", "quiet isolcpus=1"}) {
		facts.kernel_command_line = bad;
		EXPECT_EQ(check_of(facts, "isolcpus").level, Level::fail) << bad;
	}
	for (const char* good : {"", "isolcpus=nohz,2-3", "isolcpus=managed_irq,2", "isolcpus=nohz,managed_irq,2",
				 "nohz_full=2-3", "notisolcpus=2"}) {
		facts.kernel_command_line = good;
		EXPECT_EQ(check_of(facts, "isolcpus").level, Level::ok) << good;
	}
}

TEST(Doctor, JitOffIsABlockerAndUnreadableIsNot)
{
	MachineFacts facts = healthy();
	facts.bpf_jit = 0;
	EXPECT_EQ(check_of(facts, "bpf-jit").level, Level::fail);
	facts.bpf_jit = std::nullopt;  // only root may read it
	EXPECT_EQ(check_of(facts, "bpf-jit").level, Level::warn);
}

TEST(Doctor, ToolsForBuildingNeverBlockRunning)
{
	MachineFacts facts = healthy();
	for (const char* clang : {"", "clang-16", "clang-14.0.6"}) {
		facts.clang = clang;
		EXPECT_EQ(check_of(facts, "clang").level, Level::warn) << clang;
	}
	facts.qemu_version = "";
	EXPECT_TRUE(is_ready(examine(facts), Purpose::native));
}

TEST(Doctor, VerdictSendsToTheLabWhenOnlyTheKernelIsWrong)
{
	MachineFacts facts = healthy();
	facts.sched_ext_present = false;
	facts.kvm_usable = false;  // virtual time needs none
	EXPECT_TRUE(mentions(verdict(examine(facts)), "1 blocker:")) << verdict(examine(facts));
	EXPECT_TRUE(mentions(verdict(examine(facts)), "punctual bench --lab"));
	facts.qemu_version = "7.2.22";
	EXPECT_EQ(check_of(facts, "qemu").level, Level::fail);
	EXPECT_TRUE(mentions(verdict(examine(facts)), "lab is not ready"));
}

}  // namespace
}  // namespace punctual
