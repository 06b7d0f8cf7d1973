// SPDX-License-Identifier: GPL-2.0-only
// shares WINDOWS PID...: what these processes get of one CPU together, in windows of 100 ms; prints the smallest share
// in parts per million. It runs as SCHED_FIFO, so as to look in time, and is small, so as not to disturb what it looks
// at.
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kWindow(100);

uint64_t ran_ns(const std::vector<std::string>& files)
{
	uint64_t sum = 0;
	for (const std::string& path : files) {
		std::FILE* file = std::fopen(path.c_str(), "re");
		char line[100] = "";
		if (!file || !std::fgets(line, sizeof(line), file)) {
			std::fprintf(stderr, "shares: %s is gone\n", path.c_str());
			std::exit(1);
		}
		std::fclose(file);
		sum += std::strtoull(line, nullptr, 10);
	}
	return sum;
}

}  // namespace

int main(int argc, char** argv)
{
	if (argc < 3) {
		std::fputs("usage: shares WINDOWS PID...\n", stderr);
		return 2;
	}
	sched_param priority = {.sched_priority = 50};
	sched_setscheduler(0, SCHED_FIFO, &priority);
	std::vector<std::string> files;
	for (int i = 2; i < argc; i++)
		files.push_back(std::string("/proc/") + argv[i] + "/schedstat");

	uint64_t least_ppm = ~0ULL;
	Clock::time_point since = Clock::now();
	uint64_t before_ns = ran_ns(files);
	for (int window = std::atoi(argv[1]); window > 0; window--) {
		std::this_thread::sleep_until(since + kWindow);
		const Clock::time_point now = Clock::now();
		const uint64_t after_ns = ran_ns(files);
		const auto length_ns = static_cast<uint64_t>(std::chrono::nanoseconds(now - since).count());
		least_ppm = std::min(least_ppm, (after_ns - before_ns) * 1'000'000 / length_ns);
		since = now;
		before_ns = after_ns;
	}
	std::printf("%lu\n", least_ppm);
}
