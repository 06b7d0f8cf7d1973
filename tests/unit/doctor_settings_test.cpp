// SPDX-License-Identifier: GPL-2.0-only
// The settings that doctor warns of: how they are read from a machine's files, and what is said of them.
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "cli/doctor_checks.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

// The files of a machine, below a directory of their own.
class Machine {
 public:
	Machine() : root_(*TempDir::create("doctor")) {}
	Machine& has(const fs::path& file, std::string_view text)
	{
		fs::create_directories((root_.path() / file).parent_path());
		std::ofstream(root_.path() / file) << text;
		return *this;
	}
	Machine& enables(const fs::path& unit)
	{
		fs::create_directories((root_.path() / unit).parent_path());
		fs::create_symlink("/nowhere", root_.path() / unit);
		return *this;
	}
	MachineSettings look(const std::string& config = "") const { return look_at_settings(root_.path(), config); }

 private:
	TempDir root_;
};

MachineFacts quiet_machine()
{
	MachineFacts facts;
	facts.capabilities = ~0ULL;
	facts.settings.online = *CpuList::parse("0-3");
	return facts;
}

Check check_of(const MachineFacts& facts, std::string_view name)
{
	const std::vector<Check> checks = examine_settings(facts);
	const auto found = std::ranges::find(checks, name, &Check::name);
	EXPECT_NE(found, checks.end()) << "no check " << name;
	return found == checks.end() ? Check{} : *found;
}

std::string repeated(std::string_view text, int times)
{
	std::string all;
	while (times-- > 0)
		all += text;
	return all;
}

bool mentions(const std::string& text, std::string_view part)
{
	return text.find(part) != std::string::npos;
}

TEST(DoctorSettings, WhatCannotBeFoundOutIsNoWarning)
{
	const Machine nothing;
	MachineFacts facts;
	facts.settings = nothing.look();
	facts.capabilities = ~0ULL;
	for (const Check& check : examine_settings(facts))
		EXPECT_EQ(check.level, Level::ok) << check.name << ": " << check.finding;
}

TEST(DoctorSettings, NoneBlocks)
{
	Machine bad;
	bad.has("sys/kernel/debug/sched/preempt", "(none) voluntary full\n")
	    .has("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n")
	    .has("sys/devices/system/cpu/online", "0-1\n")
	    .has("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")
	    .has("proc/stat", "cpu  10 0 10 60 0 0 0 20 0 0\ncpu0 1 1\n")
	    .enables("etc/systemd/system/multi-user.target.wants/scx.service");
	MachineFacts facts;
	facts.sched_ext_present = true;
	facts.group_sched = false;
	facts.settings = bad.look("\nCONFIG_HZ=100\n");
	facts.settings.nofile_max = 64;
	for (const char* name : {"groups", "preemption", "hz", "clock", "governor", "steal", "limits", "rivals"}) {
		EXPECT_EQ(check_of(facts, name).level, Level::warn) << name << ": " << check_of(facts, name).finding;
		EXPECT_NE(check_of(facts, name).remedy, "") << name;
	}
	EXPECT_TRUE(mentions(check_of(facts, "steal").finding, "20.0 %")) << check_of(facts, "steal").finding;
	EXPECT_TRUE(mentions(check_of(facts, "rivals").finding, "scx.service is enabled"));
	EXPECT_TRUE(is_ready(examine_settings(facts), Purpose::native));
}

TEST(DoctorSettings, PreemptionIsTheKernelsWordThenTheCommandLinesThenTheBuilds)
{
	const std::string built = "\n# CONFIG_PREEMPT is not set\nCONFIG_PREEMPT_LAZY=y\n";
	Machine machine;
	EXPECT_EQ(machine.look(built).preemption, "lazy");
	machine.has("proc/cmdline", "quiet preempt=full nopreempt=1\n");
	EXPECT_EQ(machine.look(built).preemption, "full");
	machine.has("sys/kernel/debug/sched/preempt", "none (voluntary) full lazy\n");
	EXPECT_EQ(machine.look(built).preemption, "voluntary");
	EXPECT_EQ(machine.look(built + "CONFIG_PREEMPT_RT=y\n").preemption, "rt");
}

TEST(DoctorSettings, RealTimeProcessesMatterWhereNothingProtectsFromThem)
{
	// Fields as in proc(5): 9 is flags, 41 the policy; a name may have spaces and brackets.
	const std::string middle =
	    " S 1 1 1 0 -1 {} 1 1 1 1 1 1 1 1 20 0 1 0" + repeated(" 1", 16) + " 17 0 1 {} 0 0\n";
	Machine machine;
	machine.has("proc/7/stat", "7 (audio ) d)" + fmt::format(fmt::runtime(middle), 4194304, 1))
	    .has("proc/7/comm", "audio ) d\n")
	    .has("proc/8/stat", "8 (migration/0)" + fmt::format(fmt::runtime(middle), 0x04208040, 1))
	    .has("proc/8/comm", "migration/0\n")
	    .has("proc/9/stat", "9 (bash)" + fmt::format(fmt::runtime(middle), 4194304, 0))
	    .has("proc/9/comm", "bash\n");
	MachineFacts facts = quiet_machine();
	facts.settings = machine.look();
	EXPECT_EQ(facts.settings.real_time_processes, std::vector<std::string>{"audio ) d (7)"});
	EXPECT_EQ(check_of(facts, "real-time").level, Level::warn);
	machine.has("sys/kernel/debug/sched/ext_server/cpu0/runtime", "50000000\n");
	facts.settings = machine.look();
	EXPECT_EQ(check_of(facts, "real-time").level, Level::ok);
}

TEST(DoctorSettings, InterruptsAreHeldAgainstTheCpusThatWereAskedFor)
{
	Machine machine;
	machine
	    .has("proc/interrupts",
		 "     CPU0  CPU1  CPU2  CPU3\n"
		 " 24:    0     0    50     0  PCI-MSI 1-edge  nvme0q3\n"
		 " 25:    0     0     0   900  PCI-MSI 2-edge  eth0-rx-3\n"
		 " 26:    0     0    77     0  PCI-MSI 3-edge  eth0-rx-0\n")
	    .has("proc/irq/24/effective_affinity_list", "2\n")
	    .has("proc/irq/25/effective_affinity_list", "3\n")
	    .has("proc/irq/26/effective_affinity_list", "\n")  // as for interrupts that are off
	    .has("proc/irq/26/smp_affinity_list", "0\n")       // moved away since
	    .has("sys/devices/system/cpu/online", "0-3\n");
	MachineFacts facts = quiet_machine();
	facts.settings = machine.look();
	EXPECT_EQ(check_of(facts, "interrupts").level, Level::ok);  // nobody asked
	facts.settings.asked = *CpuList::parse("2-3");
	const Check check = check_of(facts, "interrupts");
	EXPECT_EQ(check.level, Level::warn);
	EXPECT_TRUE(mentions(check.finding, "25 eth0-rx-3 (900 times), 24 nvme0q3 (50 times)")) << check.finding;
	EXPECT_TRUE(mentions(check.remedy, "/proc/irq/25/smp_affinity_list")) << check.remedy;
	facts.settings.asked = *CpuList::parse("0-1");
	EXPECT_EQ(check_of(facts, "interrupts").level, Level::ok);
}

TEST(DoctorSettings, LockedMemoryMattersOnlyToWhoMayNotLock)
{
	MachineFacts facts = quiet_machine();
	facts.settings.memlock_max_bytes = 8 << 20;
	EXPECT_EQ(check_of(facts, "limits").level, Level::ok);
	facts.capabilities = ~(1ULL << CAP_IPC_LOCK);
	EXPECT_EQ(check_of(facts, "limits").level, Level::warn);
	facts.settings.nofile_max = 256 + 8 * 4 - 1;
	EXPECT_TRUE(mentions(check_of(facts, "limits").remedy, "ulimit -n 288")) << check_of(facts, "limits").remedy;
}

}  // namespace
}  // namespace punctual
