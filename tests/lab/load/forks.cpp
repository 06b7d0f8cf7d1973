// SPDX-License-Identifier: GPL-2.0-only
// forks RATE FD SLOT: RATE processes a second that end at once, as many as it manages when that is less. Every eighth
// gets a memory of its own, as by fork, the others share it, which costs a third. Counts them in word SLOT of the
// memory behind FD. For ever.
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBehind(100);  // what is later than that is not caught up with
constexpr size_t kStack = 4096;

// A child that has not been waited for.
struct Child {
	pid_t pid = 0;
	alignas(16) char stack[kStack];
};

int end_at_once(void*)
{
	_exit(0);
}

void start(Child* child, bool own_memory)
{
	if (!own_memory) {
		child->pid = clone(end_at_once, child->stack + kStack, CLONE_VM | SIGCHLD, nullptr);
		return;
	}
	child->pid = fork();
	if (child->pid == 0)
		_exit(0);
}

}  // namespace

int main(int argc, char** argv)
{
	if (argc != 4) {
		std::fputs("usage: forks RATE FD SLOT\n", stderr);
		return 2;
	}
	const std::chrono::nanoseconds gap(1'000'000'000 / std::strtoull(argv[1], nullptr, 10));
	void* shared = mmap(nullptr, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, std::atoi(argv[2]), 0);
	if (shared == MAP_FAILED) {
		std::perror("forks: mmap");
		return 1;
	}
	std::atomic_ref<uint64_t> count(static_cast<uint64_t*>(shared)[std::atoi(argv[3])]);
	std::array<Child, 8> children;  // so many at a time: a slow machine stays usable
	Clock::time_point due = Clock::now();
	for (uint64_t nr = 0;; nr++) {
		due = std::max(due + gap, Clock::now() - kBehind);
		std::this_thread::sleep_until(due);  // returns at once when it is late
		auto is_free = [](const Child& child) { return child.pid <= 0; };
		while (true) {
			const bool full = std::ranges::none_of(children, is_free);
			const pid_t ended = waitpid(-1, nullptr, full ? 0 : WNOHANG);
			if (ended <= 0)
				break;
			std::ranges::find(children, ended, &Child::pid)->pid = 0;
		}
		Child* child = std::ranges::find_if(children, is_free);
		start(child, nr % 8 == 0);
		count += child->pid > 0;
	}
}
