// SPDX-License-Identifier: GPL-2.0-only
// late WAKEUPS: by how much a SCHED_FIFO task comes late at most, in so many wakeups 50 us apart; prints nanoseconds.
// What keeps it from the CPU is the wakeup itself and whatever the kernel does without letting anybody in.
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kGap(50);

}  // namespace

int main(int argc, char** argv)
{
	if (argc != 2) {
		std::fputs("usage: late WAKEUPS\n", stderr);
		return 2;
	}
	sched_param priority = {.sched_priority = 50};
	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
		std::perror("late: SCHED_FIFO");
		return 1;
	}
	std::chrono::nanoseconds late_max(0);
	for (int left = std::atoi(argv[1]); left > 0; left--) {
		const Clock::time_point due = Clock::now() + kGap;
		std::this_thread::sleep_until(due);
		late_max = std::max<std::chrono::nanoseconds>(late_max, Clock::now() - due);
	}
	std::printf("%ld\n", late_max.count());
}
