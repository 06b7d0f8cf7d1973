// SPDX-License-Identifier: GPL-2.0-only
#include "lab/accelerator.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>

#include "base/file.h"
#include "lab/channel.h"

namespace punctual {
namespace {

// A working KVM boots in 1 to 2 s; broken ones were seen to run 100 times slower than emulation.
constexpr std::chrono::seconds kProbeLimit{8};

// True when the guest's first process reports in time. It finds no job, which is an answer too.
Result<bool> boots_with_kvm(MachineSpec spec)
{
	Channel channel = TRY(Channel::create());
	spec.channel_fd = channel.fd();
	spec.accelerator = Accelerator::kvm;
	spec.console.clear();
	Machine machine = TRY(Machine::start(spec));
	const auto deadline = std::chrono::steady_clock::now() + kProbeLimit;
	bool booted = false;
	while (!booted && machine.running() && std::chrono::steady_clock::now() < deadline) {
		pollfd ended{machine.pidfd(), POLLIN, 0};
		::poll(&ended, 1, 20);
		TRY(channel.receive([&](FrameKind, std::string_view) { booted = true; }));
	}
	return booted;
}

}  // namespace

Result<Accelerator> wall_accelerator(const MachineSpec& machine, const std::filesystem::path& cache)
{
	if (::access("/dev/kvm", R_OK | W_OK) != 0)
		return Accelerator::emulated;
	const std::filesystem::path memory = cache / "kvm";
	const std::string boot_id = read_line("/proc/sys/kernel/random/boot_id").value_or("unknown");
	const std::string known = read_line(memory).value_or("");
	if (known == boot_id + " works")
		return Accelerator::kvm;
	if (known == boot_id + " fails")
		return Accelerator::emulated;
	const bool works = TRY(boots_with_kvm(machine));
	TRY(replace_file(memory, fmt::format("{} {}\n", boot_id, works ? "works" : "fails")));
	return works ? Accelerator::kvm : Accelerator::emulated;
}

}  // namespace punctual
