// SPDX-License-Identifier: GPL-2.0-only
// punctual serve: the sampler's texts over HTTP, until a signal.
#include <poll.h>
#include <sys/random.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/serve_sampler.h"
#include "serve/http_server.h"
#include "serve/listen_socket.h"
#include "view/live_page.h"

namespace punctual {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:9766";
constexpr Nanoseconds kIntervalMin = std::chrono::milliseconds(100);
constexpr Nanoseconds kIntervalMax = std::chrono::minutes(1);  // counters of 32 bits wrap
constexpr uint64_t kSweepNs = 500'000'000;                     // slow clients

struct ServeOptions {
	std::string listen;
	std::string interval = "1s";
	std::string state_dir = "/var/lib/punctual";
	size_t cgroups = 20;
	bool no_runq = false;
	bool cost = false;
};

Result<Nanoseconds> interval_of(const std::string& text)
{
	const Nanoseconds interval = TRY(parse_duration(text));
	if (interval < kIntervalMin || interval > kIntervalMax)
		return fail(ExitCode::usage, "--interval {}: from 100ms to 1min", text);
	return interval;
}

Result<UniqueFd> listening_socket(const ServeOptions& options)
{
	std::optional<UniqueFd> passed = TRY(passed_socket());
	if (passed && !options.listen.empty())
		return fail(ExitCode::usage,
			    "a socket was passed, so --listen has no meaning: change ListenStream= of "
			    "the .socket unit");
	if (passed)
		return std::move(*passed);
	return listen_on(TRY(parse_listen(options.listen.empty() ? kDefaultListen : options.listen)));
}

// Scripts and styles of our page have it, and nothing that anybody could get into the page.
std::string new_nonce()
{
	std::array<unsigned char, 16> bytes = {};
	(void)!::getrandom(bytes.data(), bytes.size(), 0);  // of this size it does not fail
	std::string text;
	for (const unsigned char byte : bytes)
		text += fmt::format("{:02x}", byte);
	return text;
}

HttpDocument document_of(const ServeSampler& sampler, std::string_view path)
{
	const std::shared_ptr<const Served> served = sampler.served();
	const auto part = [&](const std::string& text) { return std::shared_ptr<const std::string>(served, &text); };
	if (path == "/metrics")
		return {part(served->metrics), "text/plain; version=0.0.4; charset=utf-8"};
	if (path == "/api/live")
		return {part(served->live), "application/json"};
	if (path == "/api/history")
		return {part(served->history), "application/json"};
	if (path == "/") {
		const std::string nonce = new_nonce();
		return {std::make_shared<const std::string>(live_page(nonce)), "text/html; charset=utf-8",
			live_page_policy(nonce)};
	}
	return {};
}

void say_where(int listening_fd)
{
	fmt::print(stderr, "serve: {}/ is the page, {}/metrics for Prometheus; Ctrl-C ends\n", url_of(listening_fd),
		   url_of(listening_fd));
	if (!is_local(listening_fd))
		fmt::print(stderr,
			   "serve: whoever reaches this address from another machine can read it all, without "
			   "a password and unencrypted\n");
}

Result<ExitCode> serve(const ServeOptions& options)
{
	const SamplerOptions sampling{.interval = TRY(interval_of(options.interval)),
				      .cgroups_max = options.cgroups,
				      .state_dir = options.state_dir,
				      .cost = options.cost};
	signal(SIGPIPE, SIG_IGN);  // a client that left is nothing to end for
	StopSignal stop = TRY(StopSignal::create());
	UniqueFd listening = TRY(listening_socket(options));
	std::optional<Collector> collector;
	if (!options.no_runq) {
		CollectorOptions counting;
		counting.outlier_ns_min = ~0ULL;  // single waits are not told here: let the kernel send none
		Result<Collector> attached = Collector::attach(counting);
		if (!attached)
			return fail(attached.error().code, "{} (--no-runq serves the scheduler and the guard alone)",
				    attached.error().what);
		collector.emplace(std::move(*attached));
	}
	ServeSampler sampler(sampling, std::move(collector));
	sampler.sample();
	const int listening_fd = listening.get();  // open as long as the server
	HttpServer server = TRY(HttpServer::start(
	    std::move(listening), [&sampler](std::string_view path) { return document_of(sampler, path); }));
	say_where(listening_fd);
	(void)sd_notify(0, "READY=1");
	uint64_t next_ns = monotonic_ns();
	while (!stop.raised()) {
		if (monotonic_ns() >= next_ns) {
			sampler.sample();
			// After a stall the samples missed are not made up for.
			next_ns =
			    std::max(next_ns, monotonic_ns() - sampling.interval.count()) + sampling.interval.count();
		}
		server.sweep();
		(void)sd_notify(0, "WATCHDOG=1");
		const uint64_t now_ns = monotonic_ns();
		const uint64_t left_ns = std::min(next_ns > now_ns ? next_ns - now_ns : 0, kSweepNs);
		pollfd stopped{stop.fd(), POLLIN, 0};
		poll(&stopped, 1, static_cast<int>((left_ns + 999'999) / 1'000'000));
	}
	(void)sd_notify(0, "STOPPING=1");
	return ExitCode::ok;
}

}  // namespace

Action setup_serve(CLI::App& app)
{
	auto options = std::make_shared<ServeOptions>();
	app.add_option("--listen", options->listen,
		       fmt::format("ADDRESS:PORT to serve on (default: {}, this machine alone)", kDefaultListen));
	app.add_option("-i,--interval", options->interval, "between two looks at the machine, 100ms to 1min")
	    ->capture_default_str();
	app.add_option("--cgroups", options->cgroups, "cgroups with series of their own; the rest is \"(other)\"")
	    ->check(CLI::Range(0, 256))
	    ->capture_default_str();
	app.add_flag("--no-runq", options->no_runq, "count no run-queue waits: the scheduler and the guard alone");
	app.add_flag("--cost", options->cost, "turn the kernel's BPF statistics on, and tell the time in BPF programs");
	app.add_option("--state-dir", options->state_dir, "folder of the guard's state")->capture_default_str();
	app.footer(
	    "Examples:\n"
	    "  sudo punctual serve\n"
	    "  sudo punctual serve --listen 127.0.0.1:9000 --interval 5s\n"
	    "A socket from systemd takes the place of --listen. Everything is read-only.");
	return [options] { return serve(*options); };
}

}  // namespace punctual
