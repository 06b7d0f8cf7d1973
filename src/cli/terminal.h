// SPDX-License-Identifier: GPL-2.0-only
// The terminal as a full screen: paints a Canvas, reads keys, follows its size. All of ncurses is in here.
//
// The terminal is put back by the destructor; ncurses itself does so for the time of a stop (SIGTSTP, Ctrl-Z).
// SIGINT and SIGTERM are the business of StopSignal, which lets the owner leave in order. One at a time.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "view/canvas.h"
#include "view/top_state.h"

namespace punctual {

class Terminal {
 public:
	// Error (usage) when stdin or stdout is no terminal, (lacking) when ncurses cannot use it; with the remedy.
	static Result<Terminal> open();
	Terminal(Terminal&&) noexcept;
	Terminal& operator=(Terminal&&) = delete;
	~Terminal();

	int width() const;
	int height() const;
	void paint(const Canvas& canvas) const;
	// Does not block. Nothing: no key, or one that has no meaning here. A new size is noticed by this call, too.
	std::optional<Key> read_key();
	// True when the terminal has gone away: no key will ever come.
	bool is_gone() const;

 private:
	struct Screen;
	explicit Terminal(std::unique_ptr<Screen> screen);
	std::unique_ptr<Screen> screen_;
};

// Error (usage) unless stdin and stdout are terminals.
Status require_terminal();

}  // namespace punctual
