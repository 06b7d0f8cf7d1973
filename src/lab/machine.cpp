// SPDX-License-Identifier: GPL-2.0-only
#include "lab/machine.h"

#include <poll.h>
#include <x86intrin.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "lab/channel.h"
#include "lab/console_tail.h"
#include "lab/rounds.h"

namespace punctual {
namespace {

constexpr const char* kQemu = "qemu-system-x86_64";
constexpr int kQemuForVirtualTime = 10;
constexpr int kQemuForSaving = 10;  // 9 has it too, but was not tried
constexpr std::chrono::seconds kMonitorLimit{60};

// mitigations=off, no_timer_check, tsc=reliable and the blacklisted step (1.2 s of parsing certificates in
// emulation) make boots quick. Nothing else may join the blacklist: more of it panics kernel 7.3.
// oops=panic: a guest that went wrong must not go on and print figures.
constexpr std::string_view kCommandLine =
    "console=ttyS0 quiet panic=-1 oops=panic mitigations=off nokaslr no_timer_check tsc=reliable "
    "initcall_blacklist=load_system_certificate_list cryptomgr.notests rdinit=/init";

// Ticks of the host's time stamp counter in a millisecond. Emulated guests read that counter; left to calibrate it
// themselves on a busy host they were seen to get it wrong by a factor of 4, and with it all their times.
uint64_t host_tsc_khz()
{
	using Clock = std::chrono::steady_clock;
	const auto start = Clock::now();
	const uint64_t first = __rdtsc();
	Clock::time_point now;
	uint64_t last = 0;
	do {
		now = Clock::now();
		last = __rdtsc();
	} while (now - start < std::chrono::milliseconds(10));
	const auto elapsed_ns = static_cast<uint64_t>(std::chrono::nanoseconds(now - start).count());
	return (last - first) * 1'000'000 / elapsed_ns;
}

std::vector<std::string> accelerator_arguments(Accelerator accelerator)
{
	switch (accelerator) {
	case Accelerator::virtual_time:
		// No random numbers from the host, a clock that starts at a fixed date, and no waiting while idle.
		// No MONITOR: an idle CPU is to sleep, not to spin.
		return {"-accel", "tcg,thread=single",        "-icount", "shift=0,sleep=off",
			"-rtc",   "base=2024-01-01,clock=vm", "-cpu",    "max,-rdrand,-rdseed,-monitor"};
	case Accelerator::emulated:
		return {"-accel", "tcg,thread=multi", "-cpu", "max"};
	case Accelerator::kvm:
		return {"-accel", "kvm", "-cpu", "host"};
	}
	return {};
}

// What stands in the command line for things that have another name in every run.
struct Names {
	std::string kernel;
	std::string initrd;
	std::string channel;
	std::string state;
	std::string console;
	std::string monitor;
	std::string tsc_khz;
	std::string rounds;
};

bool in_rounds(const MachineSpec& spec)
{
	return spec.accelerator == Accelerator::virtual_time && spec.cpus > 1;
}

std::string kernel_arguments(const MachineSpec& spec, const Names& names)
{
	std::string text(kCommandLine);
	if (spec.accelerator == Accelerator::virtual_time)
		text += " tsc_early_khz=1000000";
	else if (spec.accelerator == Accelerator::emulated)
		// The second: beside other guests it may take seconds for a task to leave an RCU section.
		text += " tsc_early_khz=" + names.tsc_khz + " rcupdate.rcu_cpu_stall_timeout=120";
	// What the kernel does not know becomes the environment of the first process.
	return fmt::format("{} PUNCTUAL_TIME={} PUNCTUAL_SETTLE_NS={}", text,
			   spec.accelerator == Accelerator::virtual_time ? "virtual" : "wall", spec.settle.count());
}

std::vector<std::string> command_of(const MachineSpec& spec, const Names& names)
{
	std::vector<std::pair<std::string, std::string>> options = {
	    {"-display", "none"},
	    {"-M", "q35,usb=off,vmport=off,smbus=off,sata=off,i8042=off"},
	    {"-bios", "qboot.rom"},
	    {"-smp", fmt::format("{},sockets={}", spec.cpus, spec.caches)},
	    {"-m", fmt::format("{}", spec.memory_bytes >> 20)},
	    {"-kernel", names.kernel},
	    {"-initrd", names.initrd},
	    {"-append", kernel_arguments(spec, names)},
	    {"-chardev", names.console},
	    {"-serial", "chardev:console"},
	    {"-chardev", names.monitor},
	    {"-mon", "chardev=monitor,mode=control"},
	    {"-object", fmt::format("memory-backend-file,id=channel,share=on,mem-path={},size={}", names.channel,
				    Channel::kBytes)},
	    {"-device", "ivshmem-plain,memdev=channel,master=on"},  // master: may be saved
	};
	if (in_rounds(spec))
		options.emplace_back("-plugin", rounds_plugin_option(names.rounds));
	if (spec.saveable)  // memory stands at fixed places in the file, without the empty pages
		options.emplace_back("-global", "migration.mapped-ram=on");
	if (spec.state_fd >= 0)
		options.emplace_back("-incoming", "file:" + names.state);
	std::vector<std::string> argv = {kQemu, "-nodefaults", "-no-user-config", "-no-reboot"};
	for (const auto& [option, value] : options)
		argv.insert(argv.end(), {option, value});
	const std::vector<std::string> accelerator = accelerator_arguments(spec.accelerator);
	argv.insert(argv.end(), accelerator.begin(), accelerator.end());
	return argv;
}

// "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", asked once a process: it costs 50 ms.
Result<std::string> qemu_version()
{
	static std::mutex one_at_a_time;
	static std::string line;
	const std::lock_guard guard(one_at_a_time);
	if (!line.empty())
		return line;
	const auto version = run_captured({kQemu, "--version"}, std::chrono::seconds(20));
	if (!version || version->out.find("version ") == std::string::npos)
		return fail(ExitCode::lacking, "the lab needs QEMU: no {} here (apt install qemu-system-x86)", kQemu);
	line = version->out.substr(0, version->out.find('\n'));
	return line;
}

int major_of(std::string_view version)
{
	constexpr std::string_view kMark = "version ";
	const size_t at = version.find(kMark) + kMark.size();
	int major = 0;
	std::from_chars(version.data() + at, version.data() + version.size(), major);
	return major;
}

constexpr std::string_view kGreet = R"({"execute":"qmp_capabilities"})";

bool is_reply(std::string_view line)
{
	return line.starts_with("{\"return\"") || line.starts_with("{\"error\"");
}

}  // namespace

Status check_qemu(Accelerator accelerator, int cpus)
{
	const int major = major_of(TRY(qemu_version()));
	if (accelerator == Accelerator::virtual_time && major < kQemuForVirtualTime)
		return fail(ExitCode::lacking,
			    "virtual time needs QEMU {} or newer, this is {} (on Debian 12: apt install -t "
			    "bookworm-backports qemu-system-x86; or use --time wall)",
			    kQemuForVirtualTime, major);
	if (accelerator == Accelerator::virtual_time && cpus > 1)
		TRY(check_rounds_plugin(kQemu));
	return {};
}

bool can_save_machines()
{
	const auto version = qemu_version();
	return version && major_of(*version) >= kQemuForSaving;
}

Result<std::string> machine_identity(const MachineSpec& spec)
{
	std::string identity = TRY(qemu_version());
	for (const std::string& argument : command_of(spec, {}))
		identity += "\n" + argument;
	if (in_rounds(spec))
		identity += "\n" + rounds_plugin_identity();
	return identity;
}

Result<Machine> Machine::start(const MachineSpec& spec)
{
	UniqueFd rounds;  // QEMU reads it while it starts
	if (in_rounds(spec))
		rounds = TRY(rounds_plugin_file());
	TextPort console = TRY(TextPort::create(spec.console));
	console.prefill(spec.console_before);
	TextPort monitor = TRY(TextPort::create());
	TextPort errors = TRY(TextPort::create());
	const Names names = {spec.kernel.native(),
			     path_for_qemu(spec.initrd_fd),
			     path_for_qemu(spec.channel_fd),
			     path_for_qemu(spec.state_fd),
			     console.chardev("console"),
			     monitor.chardev("monitor"),
			     fmt::format("{}", host_tsc_khz()),
			     path_for_qemu(rounds.get())};
	Child qemu = TRY(
	    Child::spawn(command_of(spec, names), {.stdout_fd = errors.output_fd(), .stderr_fd = errors.output_fd()}));
	Machine machine(std::move(qemu), std::move(console), std::move(monitor), std::move(errors), std::move(rounds));
	if (spec.state_fd >= 0)
		TRY(machine.wait_until_loaded());
	return machine;
}

bool Machine::running()
{
	const auto ended = qemu_.wait(std::chrono::nanoseconds(0));
	return ended && !*ended;
}

void Machine::stop()
{
	qemu_.send(SIGKILL);
	(void)qemu_.wait();
}

Result<std::string> Machine::ask(std::string_view command)
{
	monitor_.type(fmt::format("{}\n", command));
	const auto deadline = std::chrono::steady_clock::now() + kMonitorLimit;
	while (std::chrono::steady_clock::now() < deadline) {
		const std::string all = monitor_.text();
		size_t seen = 0;
		for (std::string_view rest = all; rest.find('\n') != rest.npos;) {
			const std::string_view line = rest.substr(0, rest.find('\n'));
			rest.remove_prefix(line.size() + 1);
			if (!is_reply(line) || seen++ != replies_)  // greetings and events stand between replies
				continue;
			replies_++;
			if (line.starts_with("{\"error\""))
				return fail(ExitCode::failed, "QEMU refused {}: {}", command, line);
			return std::string(line);
		}
		if (!running())
			return fail(ExitCode::failed, "QEMU ended:{}", console_tail(qemu_errors(), 10));
		pollfd ended{pidfd(), POLLIN, 0};
		::poll(&ended, 1, 1);
	}
	return fail(ExitCode::failed, "QEMU does not answer to {}", command);
}

Status Machine::pause()
{
	TRY(ask(kGreet));
	TRY(ask(R"({"execute":"stop"})"));
	return {};
}

Status Machine::resume()
{
	TRY(ask(R"({"execute":"cont"})"));
	return {};
}

Status Machine::save(int state_fd)
{
	TRY(ask(fmt::format(R"({{"execute":"migrate","arguments":{{"uri":"file:{}"}}}})", path_for_qemu(state_fd))));
	for (;;) {
		const std::string progress = TRY(ask(R"({"execute":"query-migrate"})"));
		if (progress.find(R"("status": "completed")") != progress.npos)
			return {};
		if (progress.find(R"("status": "failed")") != progress.npos)
			return fail(ExitCode::failed, "QEMU could not save the guest: {}", progress);
	}
}

// Bounded by QEMU itself: a state that cannot be loaded ends it, which ask() reports.
Status Machine::wait_until_loaded()
{
	TRY(ask(kGreet));
	for (;;) {
		const std::string status = TRY(ask(R"({"execute":"query-status"})"));
		if (status.find(R"("status": "paused")") != status.npos)
			return {};
	}
}

}  // namespace punctual
