// SPDX-License-Identifier: GPL-2.0-only
// A plugin for QEMU: several CPUs in virtual time, as if they ran side by side.
//
// With -icount alone QEMU lets the CPUs run one after the other, each until the next timer is due, and time is the sum
// of what they executed: with every CPU busy a wakeup across CPUs comes milliseconds late. Here each CPU has a clock of
// its own, 1 ns an instruction, and time goes in rounds of at most 1 us: in a round every CPU that does not sleep
// executes until its clock shows the round's end; then the timers that are due run, and the next round begins.
//  - A round ends early where a timer is due. If every CPU sleeps, time jumps to the next timer.
//  - A CPU that another one wakes starts at that one's time; one that a timer wakes starts with the round.
//  - Who executes PAUSE waits for another CPU: it gives up the rest of its round.
// All of it happens in the one thread that executes the guest, in a fixed order, so a run repeats to the digit.
// What it does not model: caches, contention, buses. A CPU may see another's writes up to a round early, and a timer
// that was set within a round for the same round fires at its end.
//
// QEMU has no interface for that. The plugin takes the place of five functions of its icount loop and of four entries
// in its table of the accelerator. All of them are exported; what is not, the offsets of some fields, is read out of
// the functions' machine code, whose shape is compared byte by byte. Where anything looks different the plugin refuses
// to load.
//
// Arguments: q=NS, the length of a round; check=on, which ends QEMU at once, with success when it is known.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct CPUState;       // QEMU's, opaque
struct AccelOpsClass;  // QEMU's, opaque

extern "C" {
void icount_handle_deadline();
void icount_prepare_for_run(CPUState* cpu, int64_t budget);
void icount_process_data(CPUState* cpu);
void icount_handle_interrupt(CPUState* cpu, int mask);
int64_t icount_get();
void icount_update(CPUState* cpu);
int tcg_cpu_exec(CPUState* cpu);
bool all_cpu_threads_idle();
int64_t cpus_get_virtual_clock();
int64_t cpus_get_elapsed_ticks();
void cpu_interrupt(CPUState* cpu, int mask);
void qemu_cpu_kick(CPUState* cpu);
AccelOpsClass* cpus_get_accel();
void cpu_exec_start(CPUState* cpu);
int cpu_exec(CPUState* cpu);
void cpu_exec_end(CPUState* cpu);
int64_t qemu_clock_deadline_ns_all(int clock, int attributes);
void qemu_clock_notify(int clock);
bool qemu_clock_run_timers(int clock);

extern __attribute__((visibility("default"))) int qemu_plugin_version;
__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void* info, int argc, char** argv);
}

namespace {

constexpr int kVirtualClock = 1;  // QEMU_CLOCK_VIRTUAL
constexpr int kAllTimers = -1;    // QEMU_TIMER_ATTR_ALL
// What cpu_exec() returns.
constexpr int kInterrupted = 0x10000, kHlt = 0x10001, kHalted = 0x10003;
constexpr size_t kCpusMax = 64;
constexpr int64_t kRoundMaxNs = 0xffff;
constexpr int kIdleEntriesMax = 1000;  // of one CPU in one round, without an instruction executed

// Offsets of fields: of CPUState, and of the accelerator's table.
struct Layout {
	size_t left_low;    // u16, instructions that the CPU may still execute
	size_t budget;      // s64
	size_t left_above;  // s64, what does not fit into left_low
	size_t interrupt, kick, virtual_clock, ticks;
};

struct Vcpu {
	CPUState* cpu;
	int64_t local_ns;  // its clock when it does not execute
	int64_t woken_ns;
	bool is_halted;
	std::atomic<bool> has_news;  // interrupted since it was last entered
};

Layout layout;
int64_t round_length_ns = 1000;
std::atomic<int64_t> round_begin_ns;
int64_t round_end_ns;
int64_t latest_ns;  // of all clocks
std::array<Vcpu, kCpusMax> vcpus;
size_t nr_vcpus;
thread_local Vcpu* running;  // set while this thread executes instructions of it
int64_t granted_ns;          // to it
bool was_kicked;
bool nothing_to_come;  // every CPU sleeps, and there is no timer
void (*kick_before)(CPUState*);

template <typename T>
T& field(void* object, size_t offset)
{
	return *reinterpret_cast<T*>(static_cast<char*>(object) + offset);
}

int64_t left_ns(CPUState* cpu)
{
	return field<uint16_t>(cpu, layout.left_low) + field<int64_t>(cpu, layout.left_above);
}

void grant(CPUState* cpu, int64_t ns)
{
	const int64_t low = std::min<int64_t>(ns, 0xffff);
	field<int64_t>(cpu, layout.budget) = ns;
	field<uint16_t>(cpu, layout.left_low) = static_cast<uint16_t>(low);
	field<int64_t>(cpu, layout.left_above) = ns - low;
}

int64_t now_ns()
{
	return running ? running->local_ns + granted_ns - left_ns(running->cpu) : round_begin_ns.load();
}

Vcpu& vcpu_of(CPUState* cpu)
{
	for (size_t i = 0; i < nr_vcpus; i++)
		if (vcpus[i].cpu == cpu)
			return vcpus[i];
	if (nr_vcpus == kCpusMax) {
		std::fputs("rounds: too many CPUs\n", stderr);
		std::abort();
	}
	Vcpu& vcpu = vcpus[nr_vcpus++];
	vcpu.cpu = cpu;
	vcpu.local_ns = round_begin_ns;
	return vcpu;
}

void interrupt(CPUState* cpu, int mask)
{
	Vcpu& vcpu = vcpu_of(cpu);
	if (!vcpu.has_news.exchange(true))
		vcpu.woken_ns = now_ns();
	icount_handle_interrupt(cpu, mask);
}

void kick(CPUState* cpu)
{
	was_kicked = true;
	kick_before(cpu);
}

bool sleeps(const Vcpu& vcpu)
{
	return vcpu.is_halted && !vcpu.has_news;
}

// Sets QEMU's own count to the latest of all clocks: a saved machine goes on from there. It adds what was granted and
// is not left, which may be negative.
void keep_count(const Vcpu& vcpu)
{
	latest_ns = std::max(latest_ns, vcpu.local_ns);
	grant(vcpu.cpu, 0);
	field<int64_t>(vcpu.cpu, layout.budget) = latest_ns - icount_get();
	icount_update(vcpu.cpu);
	grant(vcpu.cpu, 0);
}

// Executes at most what is left of the round. Returns what cpu_exec() did.
int execute(Vcpu& vcpu)
{
	granted_ns = round_end_ns - vcpu.local_ns;
	grant(vcpu.cpu, granted_ns);
	was_kicked = false;
	running = &vcpu;
	cpu_exec_start(vcpu.cpu);
	const int result = cpu_exec(vcpu.cpu);
	cpu_exec_end(vcpu.cpu);
	running = nullptr;
	const int64_t left = left_ns(vcpu.cpu);
	vcpu.local_ns = round_end_ns - left;
	// Nobody asked it to stop, and it stopped: that was PAUSE.
	if (result == kInterrupted && left > 0 && left < granted_ns && !was_kicked)
		vcpu.local_ns = round_end_ns;
	keep_count(vcpu);
	return result;
}

// In the place of tcg_cpu_exec(): the CPU executes to the end of the round, whatever kicks it meanwhile.
int execute_round(CPUState* cpu)
{
	Vcpu& vcpu = vcpu_of(cpu);
	if (sleeps(vcpu))
		return kHalted;
	if (vcpu.is_halted)
		vcpu.local_ns = std::max(vcpu.local_ns, vcpu.woken_ns);
	vcpu.local_ns = std::max(vcpu.local_ns, round_begin_ns.load());
	int result = kInterrupted;
	for (int idle_entries = 0; vcpu.local_ns < round_end_ns && idle_entries < kIdleEntriesMax;) {
		vcpu.has_news = false;
		const int64_t before_ns = vcpu.local_ns;
		result = execute(vcpu);
		vcpu.is_halted = result == kHlt || result == kHalted;
		if (result != kInterrupted && result != kHlt)
			break;
		idle_entries += vcpu.local_ns == before_ns;
	}
	return result;
}

bool round_is_over()
{
	return std::all_of(vcpus.begin(), vcpus.begin() + nr_vcpus,
			   [](const Vcpu& vcpu) { return sleeps(vcpu) || vcpu.local_ns >= round_end_ns; });
}

void take_over_accelerator()
{
	round_begin_ns = round_end_ns = latest_ns = icount_get();  // 0, or what a saved machine had
	AccelOpsClass* ops = cpus_get_accel();
	field<int64_t (*)()>(ops, layout.virtual_clock) = now_ns;
	field<int64_t (*)()>(ops, layout.ticks) = now_ns;
	field<void (*)(CPUState*, int)>(ops, layout.interrupt) = interrupt;
	kick_before = field<void (*)(CPUState*)>(ops, layout.kick);
	field<void (*)(CPUState*)>(ops, layout.kick) = kick;
}

// In the place of icount_handle_deadline(), which QEMU calls before each turn of the CPUs.
void begin_round()
{
	if (!kick_before)
		take_over_accelerator();
	if (nr_vcpus > 0 && !round_is_over())
		return;
	const bool all_sleep = nr_vcpus > 0 && std::all_of(vcpus.begin(), vcpus.begin() + nr_vcpus, sleeps);
	const int64_t begin_ns = all_sleep ? std::max(round_begin_ns.load(), latest_ns) : round_end_ns;
	round_begin_ns = begin_ns;
	int64_t due_ns = qemu_clock_deadline_ns_all(kVirtualClock, kAllTimers);  // from now, -1: no timer
	nothing_to_come = all_sleep && due_ns < 0;
	if (all_sleep && due_ns > 0) {
		round_begin_ns = begin_ns + due_ns;
		due_ns = 0;
	}
	if (due_ns == 0) {
		qemu_clock_notify(kVirtualClock);
		qemu_clock_run_timers(kVirtualClock);
		due_ns = qemu_clock_deadline_ns_all(kVirtualClock, kAllTimers);
	}
	round_end_ns =
	    round_begin_ns + (due_ns < 0 ? round_length_ns : std::clamp<int64_t>(due_ns, 1, round_length_ns));
}

// QEMU waits when all threads idle; the time that passes meanwhile is ours to say.
bool all_idle()
{
	return nothing_to_come;
}

void prepare_for_run(CPUState*, int64_t) {}
void process_data(CPUState*) {}

constexpr int kAny = -1;  // a byte that may have any value

// Reads the u32 at `at` in the code of a function whose bytes are `shape`.
template <size_t N>
bool read_offset(const void* function, const std::array<int, N>& shape, size_t at, size_t& offset)
{
	const auto* code = static_cast<const uint8_t*>(function);
	for (size_t i = 0; i < N; i++)
		if (shape[i] != kAny && shape[i] != code[i])
			return false;
	uint32_t value = 0;
	std::memcpy(&value, code + at, sizeof(value));
	offset = value;
	return true;
}

template <typename Function>
const void* code_of(Function* function)
{
	return reinterpret_cast<const void*>(function);
}

bool read_layout()
{
	// push %rbx; mov %rdi,%rbx; call; xor %eax,%eax; pxor; mov %ax,LOW(%rbx); movups %xmm0,BUDGET(%rbx)
	constexpr std::array<int, 29> kProcess = {0x53, 0x48, 0x89, 0xfb, 0xe8, kAny, kAny, kAny, kAny, 0x31,
						  0xc0, 0x66, 0x0f, 0xef, 0xc0, 0x66, 0x89, 0x83, kAny, kAny,
						  kAny, kAny, 0x0f, 0x11, 0x83, kAny, kAny, kAny, kAny};
	// mov TABLE(%rip),%rax; test %rax,%rax; je; mov CLOCK(%rax),%rax
	constexpr std::array<int, 19> kClock = {0x48, 0x8b, 0x05, kAny, kAny, kAny, kAny, 0x48, 0x85, 0xc0,
						0x74, kAny, 0x48, 0x8b, 0x80, kAny, kAny, kAny, kAny};
	// mov TABLE(%rip),%rax; mov TICKS(%rax),%rax
	constexpr std::array<int, 14> kTicks = {0x48, 0x8b, 0x05, kAny, kAny, kAny, kAny,
						0x48, 0x8b, 0x80, kAny, kAny, kAny, kAny};
	// mov TABLE(%rip),%rax; push %rbx; mov %rdi,%rbx; mov INTERRUPT(%rax),%rax
	constexpr std::array<int, 18> kInterrupt = {0x48, 0x8b, 0x05, kAny, kAny, kAny, kAny, 0x53, 0x48,
						    0x89, 0xfb, 0x48, 0x8b, 0x80, kAny, kAny, kAny, kAny};
	// push %rbx; mov %rdi,%rbx; mov COND(%rdi),%rdi; call; mov TABLE(%rip),%rax; mov KICK(%rax),%rax
	constexpr std::array<int, 30> kKick = {0x53, 0x48, 0x89, 0xfb, 0x48, 0x8b, 0xbf, kAny, kAny, kAny,
					       kAny, 0xe8, kAny, kAny, kAny, kAny, 0x48, 0x8b, 0x05, kAny,
					       kAny, kAny, kAny, 0x48, 0x8b, 0x80, kAny, kAny, kAny, kAny};
	size_t low_again = 0;
	// push; push; push; cmpw $0,LOW(%rdi)
	constexpr std::array<int, 12> kPrepare = {0x41, 0x54, 0x55, 0x53, 0x66, 0x83,
						  0xbf, kAny, kAny, kAny, kAny, 0x00};
	const bool is_known = read_offset(code_of(icount_process_data), kProcess, 18, layout.left_low) &&
			      read_offset(code_of(icount_process_data), kProcess, 25, layout.budget) &&
			      read_offset(code_of(icount_prepare_for_run), kPrepare, 7, low_again) &&
			      read_offset(code_of(cpus_get_virtual_clock), kClock, 15, layout.virtual_clock) &&
			      read_offset(code_of(cpus_get_elapsed_ticks), kTicks, 10, layout.ticks) &&
			      read_offset(code_of(cpu_interrupt), kInterrupt, 14, layout.interrupt) &&
			      read_offset(code_of(qemu_cpu_kick), kKick, 26, layout.kick);
	layout.left_above = layout.budget + sizeof(int64_t);
	return is_known && low_again == layout.left_low;
}

// Puts a jump to `to` where `function` begins.
template <typename Function>
bool replace(Function* function, Function* to)
{
	std::array<uint8_t, 14> jump = {0xff, 0x25, 0, 0, 0, 0};  // jmp *0(%rip), and the address
	std::memcpy(&jump[6], &to, sizeof(to));
	const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
	char* const at = reinterpret_cast<char*>(function);
	const size_t in_page = reinterpret_cast<uintptr_t>(at) % page;
	char* const begin = at - in_page;
	const size_t length = in_page + jump.size();
	if (::mprotect(begin, length, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return false;
	std::memcpy(at, jump.data(), jump.size());
	return ::mprotect(begin, length, PROT_READ | PROT_EXEC) == 0;
}

}  // namespace

int qemu_plugin_version = 4;

int qemu_plugin_install(uint64_t, const void*, int argc, char** argv)
{
	if (!read_layout()) {
		std::fputs("rounds: this build of QEMU is not known\n", stderr);
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		if (std::strncmp(argv[i], "q=", 2) == 0)
			round_length_ns = std::clamp<int64_t>(std::atoll(argv[i] + 2), 1, kRoundMaxNs);
		if (std::strcmp(argv[i], "check=on") == 0)
			std::_Exit(EXIT_SUCCESS);
	}
	if (!replace(icount_handle_deadline, begin_round) || !replace(icount_prepare_for_run, prepare_for_run) ||
	    !replace(icount_process_data, process_data) || !replace(tcg_cpu_exec, execute_round) ||
	    !replace(all_cpu_threads_idle, all_idle)) {
		std::perror("rounds: cannot change QEMU's code");
		return 1;
	}
	return 0;
}
