// SPDX-License-Identifier: GPL-2.0-only
// SIGINT and SIGTERM as a readable file descriptor: the one signal handler of punctual.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// Blocks SIGINT, SIGTERM and SIGHUP for the process and turns them into fd() becoming readable.
// Create at most one, before any thread starts. Children get the original mask back (Child does it).
class StopSignal {
 public:
	static Result<StopSignal> create();
	int fd() const { return fd_.get(); }
	bool raised();                          // has a signal arrived? does not block; stays true
	int number() const { return number_; }  // which one, 0 if none

 private:
	explicit StopSignal(UniqueFd fd) : fd_(std::move(fd)) {}
	UniqueFd fd_;
	int number_ = 0;
};

}  // namespace punctual
