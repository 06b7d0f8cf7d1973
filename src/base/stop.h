// SPDX-License-Identifier: GPL-2.0-only
// Signals as readable file descriptors: punctual handles none in any other way.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// Blocks SIGINT, SIGTERM and SIGHUP for the process and turns them into fd() becoming readable.
// Create at most one, before any thread starts. Children get the original mask back (Child does it).
class StopSignal {
 public:
	static Result<StopSignal> create();
	static Result<StopSignal> create_without_hangup();  // that is for a HangupSignal
	int fd() const { return fd_.get(); }
	bool raised();                          // has a signal arrived? does not block; stays true
	int number() const { return number_; }  // which one, 0 if none

 private:
	explicit StopSignal(UniqueFd fd) : fd_(std::move(fd)) {}
	UniqueFd fd_;
	int number_ = 0;
};

// SIGHUP for a process that reads its configuration anew at one. The same rules; under nohup it never comes.
class HangupSignal {
 public:
	static Result<HangupSignal> create();
	int fd() const { return fd_.get(); }
	bool take();  // has one arrived since the last look? does not block

 private:
	explicit HangupSignal(UniqueFd fd) : fd_(std::move(fd)) {}
	UniqueFd fd_;
};

}  // namespace punctual
