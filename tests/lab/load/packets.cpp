// SPDX-License-Identifier: GPL-2.0-only
// packets RATE WORK_NS [COPIES]: a packet function reduced to its rhythm. Wakes RATE times a second at times fixed in
// advance, works WORK_NS for each packet that is due, and sleeps when there is none; for ever. RATE 0 never sleeps.
// COPIES of it are one process and its children, who end with it. Scheduling tests measure it from outside.
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

// In virtual time an instruction is a nanosecond; elsewhere the work is shorter, which harms no claim.
void work(uint64_t instructions)
{
	for (uint64_t i = 0; i < instructions / 2; i++)
		asm volatile("");
}

void become_copies(int copies)
{
	for (int i = 1; i < copies; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			return;
		}
}

}  // namespace

int main(int argc, char** argv)
{
	if (argc < 3 || argc > 4) {
		std::fputs("usage: packets RATE WORK_NS [COPIES]\n", stderr);
		return 2;
	}
	const uint64_t rate = std::strtoull(argv[1], nullptr, 10);
	const uint64_t work_ns = std::strtoull(argv[2], nullptr, 10);
	become_copies(argc == 4 ? std::atoi(argv[3]) : 1);
	while (rate == 0)
		work(work_ns);
	const std::chrono::nanoseconds gap(1'000'000'000 / rate);
	for (Clock::time_point due = Clock::now();; due += gap) {
		std::this_thread::sleep_until(due);  // returns at once for a packet that is late
		work(work_ns);
	}
}
