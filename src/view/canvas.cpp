// SPDX-License-Identifier: GPL-2.0-only
#include "view/canvas.h"

#include <algorithm>

#include "view/text.h"

namespace punctual {

Canvas::Canvas(int width, int height)
    : width_(std::max(width, 0)), height_(std::max(height, 0)), cells_(static_cast<size_t>(width_) * height_)
{}

// What is left of a wide character whose other half is about to be overwritten.
void Canvas::blank_halves(int x, int y)
{
	if (cell(x, y).text.empty() && x > 0)
		cell(x - 1, y).text = " ";
	if (x + 1 < width_ && cell(x + 1, y).text.empty())
		cell(x + 1, y).text = " ";
}

void Canvas::set(int x, int y, std::string_view character, int columns, Look look)
{
	const bool is_whole = holds(x, y) && holds(x + columns - 1, y);
	for (int part = 0; part < columns; part++) {
		if (!holds(x + part, y))
			continue;
		blank_halves(x + part, y);
		cell(x + part, y) = {" ", look};
	}
	if (!is_whole)
		return;
	cell(x, y).text = character;
	if (columns == 2)
		cell(x + 1, y).text.clear();
}

int Canvas::put(int x, int y, std::string_view text, Look look, int width_max)
{
	const std::string clean = clean_text(text);
	std::string_view rest = clean;
	int taken = 0;
	int last_x = -1;  // where a mark belongs
	int marks = 0;
	while (!rest.empty()) {
		const std::string_view character = rest.substr(0, character_bytes(rest));
		const int columns = static_cast<int>(text_width(character));
		rest.remove_prefix(character.size());
		if (columns == 0) {
			if (holds(last_x, y) && marks++ < kMarksMax)
				cell(last_x, y).text += character;
			continue;
		}
		if (taken + columns > width_max)
			break;
		set(x + taken, y, character, columns, look);
		const bool is_drawn = holds(x + taken, y) && holds(x + taken + columns - 1, y);
		last_x = is_drawn ? x + taken : -1;
		marks = 0;
		taken += columns;
	}
	return taken;
}

void Canvas::put_right(int x, int y, int width, std::string_view text, Look look)
{
	const int columns = static_cast<int>(text_width(clean_text(text)));
	put(x + std::max(width - columns, 0), y, text, look, width);
}

void Canvas::tint(int x, int y, int width, Look look)
{
	for (int column = std::max(x, 0); column < x + width && holds(column, y); column++)
		cell(column, y).look = look;
}

std::string Canvas::text() const
{
	std::string lines;
	for (int y = 0; y < height_; y++) {
		std::string line;
		for (int x = 0; x < width_; x++)
			line += at(x, y).text;
		line.erase(line.find_last_not_of(' ') + 1);
		lines += line + "\n";
	}
	return lines;
}

}  // namespace punctual
