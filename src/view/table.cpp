// SPDX-License-Identifier: GPL-2.0-only
#include "view/table.h"

#include <algorithm>

#include <fmt/format.h>

#include "view/text.h"

namespace punctual {
namespace {

constexpr const char* tone_class(Tone tone)
{
	switch (tone) {
	case Tone::good:
		return "good";
	case Tone::bad:
		return "bad";
	case Tone::faint:
		return "faint";
	case Tone::plain:
		break;
	}
	return "";
}

std::string padded(const std::string& text, size_t width, bool to_the_right)
{
	std::string blanks(width - std::min(width, text_width(text)), ' ');
	return to_the_right ? blanks + text : text + blanks;
}

void append_line(std::string& out, const Table& table, const std::vector<std::string>& cells,
		 const std::vector<size_t>& widths)
{
	for (size_t at = 0; at < cells.size(); ++at) {
		if (at > 0)
			out += "  ";
		out += padded(cells[at], widths[at], table.columns[at].numeric);
	}
	out.erase(out.find_last_not_of(' ') + 1);
	out += '\n';
}

std::string cell_markup(const TableCell& cell, const TableColumn& column, bool heads_row)
{
	std::string classes = tone_class(cell.tone);
	if (column.numeric)
		classes += classes.empty() ? "n" : " n";
	const char* element = heads_row ? "th scope=\"row\"" : "td";
	std::string key = cell.color < 0 ? "" : fmt::format("<i class=\"key k{}\"></i>", cell.color % kColors);
	return fmt::format("<{}{}>{}{}</{}>", element, classes.empty() ? "" : fmt::format(" class=\"{}\"", classes),
			   key, escape_markup(cell.text), heads_row ? "th" : "td");
}

}  // namespace

std::string table_text(const Table& table)
{
	std::vector<std::vector<std::string>> lines(1);
	for (const TableColumn& column : table.columns)
		lines[0].push_back(clean_text(column.title));
	for (const TableRow& row : table.rows) {
		lines.emplace_back();
		for (size_t at = 0; at < table.columns.size(); ++at)
			lines.back().push_back(at < row.cells.size() ? clean_text(row.cells[at].text) : "");
	}
	std::vector<size_t> widths(table.columns.size());
	for (const auto& cells : lines)
		for (size_t at = 0; at < cells.size(); ++at)
			widths[at] = std::max(widths[at], text_width(cells[at]));
	std::string out;
	for (const auto& cells : lines)
		append_line(out, table, cells, widths);
	return out;
}

Markup table_markup(const Table& table)
{
	std::string html = "<div class=\"scroll\"><table><thead><tr>";
	for (const TableColumn& column : table.columns)
		html += fmt::format("<th scope=\"col\"{}>{}</th>", column.numeric ? " class=\"n\"" : "",
				    escape_markup(column.title));
	html += "</tr></thead>\n<tbody>\n";
	for (const TableRow& row : table.rows) {
		html += row.strong ? "<tr class=\"strong\">" : "<tr>";
		for (size_t at = 0; at < std::min(row.cells.size(), table.columns.size()); ++at)
			html += cell_markup(row.cells[at], table.columns[at], at == 0);
		html += "</tr>\n";
	}
	return {html + "</tbody></table></div>\n"};
}

}  // namespace punctual
