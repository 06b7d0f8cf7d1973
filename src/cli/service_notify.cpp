// SPDX-License-Identifier: GPL-2.0-only
#include "cli/service_notify.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "view/text.h"

namespace punctual {

ServiceNotify::ServiceNotify()
{
	uint64_t limit_us = 0;
	if (::sd_watchdog_enabled(0, &limit_us) > 0)
		period_ns_ = limit_us * 1000 / 4;
}

void ServiceNotify::send(const std::string& text) const
{
	(void)::sd_notify(0, text.c_str());
}

void ServiceNotify::ready(std::string_view status)
{
	is_ready_ = true;
	status_ = status;
	send(fmt::format("READY=1\nSTATUS={}", clean_text(status)));
}

void ServiceNotify::status(std::string_view status)
{
	if (!is_ready_)
		return ready(status);
	if (status_ == status)
		return;
	status_ = status;
	send(fmt::format("STATUS={}", clean_text(status)));
}

// The time is what Type=notify-reload (systemd 253) asks for; older ones do not look at it.
void ServiceNotify::reloading()
{
	send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_ns() / 1000));
}

void ServiceNotify::stopping()
{
	send("STOPPING=1");
}

void ServiceNotify::alive()
{
	if (period_ns_ == 0 || monotonic_ns() < next_ns_)
		return;
	next_ns_ = monotonic_ns() + period_ns_;
	send("WATCHDOG=1");
}

}  // namespace punctual
