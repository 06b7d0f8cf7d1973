// SPDX-License-Identifier: GPL-2.0-only
// pingpong SECONDS: two processes wake each other by pipes, so that on one CPU nobody idles and a round trip is two
// wakeups, two sleeps and two switches. Prints "CLOCK_MONOTONIC ns, round trips so far" a line, every 20 ms.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

constexpr long long kLineEachNs = 20'000'000;

long long now_ns()
{
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

bool pass_on(int from, int to)
{
	char token = 0;
	return read(from, &token, 1) == 1 && write(to, &token, 1) == 1;
}

}  // namespace

int main(int argc, char** argv)
{
	const double seconds = argc == 2 ? std::atof(argv[1]) : 0;
	int there[2], back[2];
	if (seconds <= 0 || pipe(there) != 0 || pipe(back) != 0)
		return 2;
	if (fork() == 0) {
		close(there[1]);
		while (pass_on(there[0], back[1])) {
		}
		return 0;
	}
	const long long end_ns = now_ns() + static_cast<long long>(seconds * 1e9);
	char token = 0;
	long long trips = 0, line_ns = 0;
	for (long long at_ns = now_ns(); at_ns < end_ns; at_ns = now_ns()) {
		if (at_ns >= line_ns) {
			std::printf("%lld %lld\n", at_ns, trips);
			std::fflush(stdout);
			line_ns = at_ns + kLineEachNs;
		}
		if (write(there[1], &token, 1) != 1 || read(back[0], &token, 1) != 1)
			return 1;
		trips++;
	}
	return 0;
}
