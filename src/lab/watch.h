// SPDX-License-Identifier: GPL-2.0-only
// One guest from start to end: takes what it sends, watches the clock, and tells the ways of dying apart.
// Owns machine and channel; destroying it ends the guest. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/channel.h"
#include "lab/lab.h"
#include "lab/machine.h"

namespace punctual {

class Watch {
 public:
	// `booted`: the guest goes on from a snapshot. Options and listener must outlive the watch.
	Watch(const LabOptions& options, const LabListener& listener, Channel channel, Machine machine, bool booted);

	// Waits until the guest has settled, writes its state and returns what its console said until then.
	// nullopt when the guest was faster than we.
	Result<std::optional<std::string>> save_when_ready(int state_fd);

	// Waits for the command's end and brings back its files.
	Result<LabResult> until_ended();

 private:
	Status until(bool Watch::* goal);
	Status receive();
	void take(FrameKind kind, std::string_view payload);
	void take_output(std::string_view bytes, const std::function<void(std::string_view)>& sink,
			 std::string& captured);
	Status check_stop() const;
	Status check_clock();
	std::unexpected<Error> died() const;
	std::string tail() const;

	const LabOptions& options_;
	const LabListener& listener_;
	Channel channel_;
	Machine machine_;
	LabResult result_;
	std::string files_;
	Error trouble_;
	bool waiting_ = false;
	int times_waiting_ = 0;
	bool ended_ = false;
	std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
	std::optional<std::chrono::steady_clock::time_point> booted_;
	std::optional<std::chrono::steady_clock::time_point> asked_;
	uint32_t answers_before_ = 0;
};

}  // namespace punctual
