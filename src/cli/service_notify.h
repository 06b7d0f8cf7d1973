// SPDX-License-Identifier: GPL-2.0-only
// What a service says to systemd: ready, reloading, stopping, a line of status, and that it is alive. Nothing at all
// happens without systemd, and nothing here can fail the caller.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace punctual {

class ServiceNotify {
 public:
	// Reads WATCHDOG_USEC: when systemd wants to hear from us.
	ServiceNotify();
	void ready(std::string_view status);  // at the start, and after reloading()
	void status(std::string_view status);
	void reloading();
	void stopping();
	// The caller's loop goes round. At least twice in the time that systemd waits, if it waits.
	void alive();

 private:
	void send(const std::string& text) const;
	uint64_t period_ns_ = 0;  // 0: nobody waits
	uint64_t next_ns_ = 0;
	bool is_ready_ = false;
	std::string status_;
};

}  // namespace punctual
