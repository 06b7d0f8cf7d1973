// SPDX-License-Identifier: GPL-2.0-only
// The QEMU machine of the lab: its command line, its console, its life. Knows nothing of what runs inside.
// Not shared between threads; any number of machines may run at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/process.h"
#include "base/result.h"
#include "lab/text_port.h"

namespace punctual {

// virtual_time: one instruction of a CPU is one nanosecond, so a run repeats to the digit. The other two follow the
// host's clock; emulated runs anywhere, kvm only where the processor's virtualization truly works.
enum class Accelerator { virtual_time, emulated, kvm };

struct MachineSpec {
	std::filesystem::path kernel;
	int initrd_fd = -1;   // the first archive
	int channel_fd = -1;  // shared memory, Channel::kBytes
	int cpus = 1;
	int caches = 1;
	uint64_t memory_bytes = 1UL << 30;
	std::chrono::nanoseconds settle{};  // guest time that the first process waits before it is ready
	Accelerator accelerator = Accelerator::virtual_time;
	std::filesystem::path console;  // keeps all that the serial console says; empty: kept in memory
	std::string console_before;     // text that stands above it
	bool saveable = false;          // save() will be used, or state_fd is given
	int state_fd = -1;              // file with a saved state: goes on from there; -1: boots
};

class Machine {
 public:
	static Result<Machine> start(const MachineSpec& spec);

	int pidfd() const { return qemu_.pidfd(); }
	bool running();
	void stop();  // at once, without the guest's doing
	const TextPort& console() const { return console_; }
	std::string qemu_errors() const { return errors_.text(); }  // what QEMU itself complained about

	// After pause() the guest does nothing more, until resume(). A machine with a state_fd starts paused: its
	// shared memory is then what it was when the state was saved.
	Status pause();
	Status resume();
	Status save(int state_fd);  // of a paused machine; the shared memory goes along

 private:
	Machine(Child qemu, TextPort console, TextPort monitor, TextPort errors, UniqueFd rounds)
	    : qemu_(std::move(qemu)),
	      console_(std::move(console)),
	      monitor_(std::move(monitor)),
	      errors_(std::move(errors)),
	      rounds_(std::move(rounds))
	{}
	Result<std::string> ask(std::string_view command);  // one command to QEMU's monitor, and its reply
	Status wait_until_loaded();

	Child qemu_;
	TextPort console_;
	TextPort monitor_;
	TextPort errors_;
	UniqueFd rounds_;     // the plugin, where CPUs go by rounds: QEMU opens it by our descriptor when it starts
	size_t replies_ = 0;  // taken from the monitor so far
};

// All that decides what a machine of `spec` does, but for the contents of kernel and first archive. Machines
// may take over each other's saved state when it is equal.
Result<std::string> machine_identity(const MachineSpec& spec);

// Whether machines of this QEMU can be saved. Old ones can still run in wall time.
bool can_save_machines();

// Error (lacking) with the remedy when there is no QEMU, one too old for `accelerator`, or one that cannot run `cpus`
// in virtual time.
Status check_qemu(Accelerator accelerator, int cpus);

}  // namespace punctual
