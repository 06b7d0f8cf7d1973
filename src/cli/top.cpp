// SPDX-License-Identifier: GPL-2.0-only
// punctual top: samples of the collector, and keys, to screens. What is shown is decided in view/top_screen.h, what a
// key does in view/top_state.h.
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <chrono>

#include "base/file.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/top_samples.h"
#include "object/topology.h"
#include "runq/collector.h"
#include "view/top_screen.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstInterval(200);  // so that something is seen soon
constexpr int kKeysPerScreenMax = 64;        // who leans on a key sees something meanwhile

std::vector<u32> caches_of_cpus()
{
	const Result<std::vector<CpuPlace>> places = read_cpu_places();
	if (!places)
		return {};  // one cache: nothing else hangs on it
	const Topology topology = layout(*places, {});
	return {topology.llc_of_cpu.begin(), topology.llc_of_cpu.end()};
}

std::string file_name_now()
{
	char name[64] = {};
	const time_t now = ::time(nullptr);
	tm local = {};
	::strftime(name, sizeof(name), "punctual-top-%Y%m%d-%H%M%S.txt", ::localtime_r(&now, &local));
	return name;
}

std::string write_screen(const Canvas& canvas)
{
	const std::string name = file_name_now();
	const Status written = replace_file(name, canvas.text());
	return written ? "written: " + name : written.error().what;
}

class Top {
 public:
	Top(Collector collector, Terminal terminal)
	    : collector_(std::move(collector)), terminal_(std::move(terminal)), cache_of_cpu_(caches_of_cpus())
	{}

	Result<ExitCode> run(StopSignal* stop);

 private:
	Result<TopSample> sample();
	Status measure();
	void show_samples() { facts_ = shown_.facts(state_.since_reset, cache_of_cpu_); }
	void fit() { state_ = fitted(std::move(state_), facts_, terminal_.width(), terminal_.height()); }
	Canvas screen() const { return top_screen(state_, facts_, terminal_.width(), terminal_.height()); }
	Status take_keys();
	Status obey(const TopState& before);
	void wait(int stop_fd);

	Collector collector_;
	Terminal terminal_;
	std::vector<u32> cache_of_cpu_;
	TopSchedulerWatch scheduler_;
	TopSamples live_;   // goes on while the screen is frozen: the kernel's counters are small
	TopSamples shown_;  // the same, or as of the freeze
	TopState state_;
	TopFacts facts_;
	Clock::time_point last_;  // when the latest sample was taken
	milliseconds interval_ = kFirstInterval;
};

Result<TopSample> Top::sample()
{
	WaitSnapshot waits = TRY(collector_.snapshot());
	const u64 at_ns = waits.at_ns;
	last_ = Clock::now();
	return TopSample{std::move(waits), scheduler_.look(at_ns)};
}

Status Top::measure()
{
	live_.add(TRY(sample()));
	if (!state_.is_frozen) {
		shown_ = live_;
		show_samples();
	}
	return {};
}

// What the keys asked for that a state cannot do itself.
Status Top::obey(const TopState& before)
{
	if (state_.nr_resets != before.nr_resets) {
		if (Status measured = measure(); !measured)
			return measured;
		live_.reset_now();
		shown_ = live_;
	}
	if (before.is_frozen && !state_.is_frozen)
		shown_ = live_;
	if (state_.nr_resets != before.nr_resets || state_.since_reset != before.since_reset ||
	    state_.is_frozen != before.is_frozen)
		show_samples();
	if (state_.nr_writes != before.nr_writes) {
		fit();
		state_.message = write_screen(screen());
	}
	interval_ = milliseconds(state_.interval_ns / 1000000);
	return {};
}

Status Top::take_keys()
{
	for (int n = 0; n < kKeysPerScreenMax && !state_.quit; n++) {
		const std::optional<Key> key = terminal_.read_key();
		if (!key)
			return {};
		const TopState before = state_;
		state_ = next_state(std::move(state_), *key);
		if (Status obeyed = obey(before); !obeyed)
			return obeyed;
		fit();
	}
	return {};
}

// Until a key, a signal, or the next sample. A change of the terminal's size interrupts it, too.
void Top::wait(int stop_fd)
{
	pollfd inputs[] = {{STDIN_FILENO, POLLIN, 0}, {stop_fd, POLLIN, 0}};
	const auto left = std::chrono::ceil<milliseconds>(last_ + interval_ - Clock::now());
	::poll(inputs, std::size(inputs), static_cast<int>(std::clamp<milliseconds::rep>(left.count(), 0, 60000)));
}

Result<ExitCode> Top::run(StopSignal* stop)
{
	live_.latest = TRY(sample());
	live_.previous = live_.latest;
	live_.reset_now();
	shown_ = live_;
	show_samples();
	while (!state_.quit && !stop->raised() && !terminal_.is_gone()) {
		fit();
		terminal_.paint(screen());
		wait(stop->fd());
		if (Status taken = take_keys(); !taken)
			return std::unexpected(taken.error());
		if (Clock::now() - last_ < interval_)
			continue;
		if (Status measured = measure(); !measured)
			return std::unexpected(measured.error());
		interval_ = milliseconds(state_.interval_ns / 1000000);
	}
	return state_.quit ? ExitCode::ok : ExitCode::interrupted;
}

}  // namespace

Action setup_top(CLI::App&)
{
	return []() -> Result<ExitCode> {
		if (Status is_terminal = require_terminal(); !is_terminal)
			return std::unexpected(is_terminal.error());
		StopSignal stop = TRY(StopSignal::create());
		CollectorOptions options;
		options.tasks = true;
		options.outlier_ns_min = ~0ULL;  // single waits are not shown here: let the kernel send none
		Collector collector = TRY(Collector::attach(options));
		Terminal terminal = TRY(Terminal::open());
		return Top(std::move(collector), std::move(terminal)).run(&stop);
	};
}

}  // namespace punctual
