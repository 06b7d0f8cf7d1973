// SPDX-License-Identifier: GPL-2.0-only
// Alerts as JSON, each by one HTTP POST, off unless a URL is given. curl does it, in a process of its own: a receiver
// that is slow or gone costs the guard nothing. At most kWaitingMax wait; then the oldest is left out, and that is
// said.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "base/process.h"

namespace punctual {

class Webhook {
 public:
	static constexpr size_t kWaitingMax = 16;

	// `nice` is that of curl.
	Webhook(std::string url, int nice) : url_(std::move(url)), nice_(nice) {}
	void set_url(std::string url) { url_ = std::move(url); }
	void post(std::string json);  // does nothing without a URL
	void step();                  // several times a second
	// No more will come: what waits has 5 s.
	void finish();

 private:
	void start();
	std::string url_;
	int nice_;
	std::deque<std::string> waiting_;
	std::optional<Child> child_;
	std::chrono::steady_clock::time_point ends_at_;
};

}  // namespace punctual
