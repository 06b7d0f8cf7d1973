// SPDX-License-Identifier: GPL-2.0-only
// One self-contained HTML page: no network, no script, readable on a phone, in print, in the dark. A
// policy in the page itself forbids everything but its own style, should hostile text ever get through.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "view/markup.h"
#include "view/table.h"

namespace punctual {

struct Figure {
	Markup drawing;
	std::string caption;
	bool half = false;  // two halves stand side by side where there is room
};

struct PageFact {
	std::string name;
	std::string value;
};

// Shown in this order: heading, prose, table, figures, facts, notes.
struct PageSection {
	std::string heading;
	std::vector<std::string> prose;  // paragraphs
	std::optional<Table> table;
	std::vector<Figure> figures;
	std::vector<PageFact> facts;
	std::vector<std::string> notes;  // small print
};

// A figure that a reader takes in at a glance.
struct PageTile {
	std::string label;
	std::string value;
	std::string comparison;
	Tone tone = Tone::plain;
};

struct Page {
	std::string title;     // of the window
	std::string eyebrow;   // small, above the headline
	std::string headline;  // the finding, as a sentence
	std::string lead;
	std::vector<PageTile> tiles;
	std::vector<PageSection> sections;
	std::string footer;
};

// All strings are escaped here; only Markup goes in as it is. A number and its unit stay on one line.
std::string html_page(const Page& page);

// The style of all our pages, after that of the figures (figure_style): rules for header, tiles, sections, tables.
std::string page_style();

}  // namespace punctual
