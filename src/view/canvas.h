// SPDX-License-Identifier: GPL-2.0-only
// A grid of character cells: what a full-screen view draws, and a terminal or a text file shows. No terminal here.
//
// Whatever is put on it comes out harmless: text passes through clean_text (view/text.h), is clipped at the edges,
// and a cell holds one character with at most two marks on it. A wide character takes two cells, the second of
// them covered; where only half of one would be visible there is a blank.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace punctual {

// What a piece of text is, not which colour it has: the terminal chooses. No fact hangs on an ink alone.
enum class Ink : unsigned char { plain, good, bad, faint, accent };

struct Look {
	Ink ink = Ink::plain;
	bool bold = false;
	bool reverse = false;

	bool operator==(const Look&) const = default;
};

struct Cell {
	std::string text = " ";  // UTF-8; empty: covered by the wide character to the left
	Look look;
};

class Canvas {
 public:
	static constexpr int kMarksMax = 2;

	// Blank. Sizes below 0 count as 0.
	Canvas(int width, int height);

	int width() const { return width_; }
	int height() const { return height_; }
	// REQUIRES x and y to be on the canvas.
	const Cell& at(int x, int y) const { return cells_[static_cast<size_t>(y) * width_ + x]; }

	// From (x, y) rightwards, in at most `width_max` columns. Returns how many columns it took. Positions off the
	// canvas are fine: what lies outside is not drawn.
	int put(int x, int y, std::string_view text, Look look = {}, int width_max = 1 << 20);
	// The same, its end at x + width; too long a text is cut at its end.
	void put_right(int x, int y, int width, std::string_view text, Look look = {});
	// Gives `width` cells another look and leaves their text.
	void tint(int x, int y, int width, Look look);

	// Lines without trailing blanks, each ended by a newline.
	std::string text() const;

 private:
	void set(int x, int y, std::string_view character, int columns, Look look);
	void blank_halves(int x, int y);
	bool holds(int x, int y) const { return x >= 0 && x < width_ && y >= 0 && y < height_; }
	Cell& cell(int x, int y) { return cells_[static_cast<size_t>(y) * width_ + x]; }

	int width_;
	int height_;
	std::vector<Cell> cells_;
};

}  // namespace punctual
