// SPDX-License-Identifier: GPL-2.0-only
#include "view/html_page.h"

#include <cctype>

#include <fmt/format.h>

#include "view/figure.h"
#include "view/text.h"

namespace punctual {
namespace {

bool is_word_end(std::string_view text, size_t at)
{
	return at >= text.size() || !std::isalnum(static_cast<unsigned char>(text[at]));
}

// Escaped prose, with no line break between a number and its unit.
std::string prose_markup(std::string_view text)
{
	std::string html = escape_markup(text);
	for (std::string_view unit : {" %", " us"})
		for (size_t at = html.find(unit); at != std::string::npos; at = html.find(unit, at + 1))
			if (at > 0 && std::isdigit(static_cast<unsigned char>(html[at - 1])) &&
			    is_word_end(html, at + unit.size()))
				html.replace(at, 1, "\u00a0");
	return html;
}

constexpr const char* kStyle = R"(*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
main,header,footer{max-width:1020px;margin:0 auto;padding:0 20px}
header{padding-top:40px}
.eyebrow{margin:0;color:var(--muted);font-size:.85rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase}
h1{margin:.3rem 0 .6rem;font-size:clamp(1.35rem,3.4vw,2rem);line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
.lead{margin:0 0 1.4rem;font-size:1.05rem;color:var(--muted);max-width:50em}
h1,p,dd,figcaption,li{overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px}
.tile,section{background:var(--card);border:1px solid var(--edge);border-radius:10px}
.tile{padding:14px 18px}
.tile p{margin:0;color:var(--muted);font-size:.9rem}
.tile .value{color:var(--ink);font-size:1.9rem;font-weight:700;line-height:1.25;font-variant-numeric:tabular-nums}
.tile .good{color:var(--good)}.tile .bad{color:var(--bad)}
section{margin:18px 0;padding:18px 22px 20px}
h2{margin:0 0 .5rem;font-size:1.12rem}
section p{margin:.3rem 0 .7rem;max-width:52em}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.93rem;font-variant-numeric:tabular-nums}
th,td{padding:7px 9px;text-align:left;border-bottom:1px solid var(--edge);white-space:nowrap}
thead th{color:var(--muted);font-weight:600;font-size:.84rem;vertical-align:bottom;white-space:normal}
tbody th{font-weight:500}
tbody tr:last-child>*{border-bottom:0}
th.n,td.n{text-align:right}
tr.strong>*{background:var(--tint);font-weight:700}
.good{color:var(--good)}td.bad,th.bad{color:var(--bad)}.faint{color:var(--muted)}
.key{display:inline-block;width:.7em;height:.7em;margin-right:.6em;border-radius:50%;print-color-adjust:exact;
-webkit-print-color-adjust:exact}
.figures{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px 26px}
figure{margin:8px 0 0;grid-column:1/-1;min-width:0}
figure.half{grid-column:auto}
figcaption,.notes{color:var(--muted);font-size:.87rem}
figcaption{margin-top:6px;max-width:60em}
.notes{margin:.9rem 0 0;padding-left:1.1em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;margin:0;font-size:.92rem}
dt{color:var(--muted)}dd{margin:0}
footer{padding-top:4px;padding-bottom:40px;color:var(--muted);font-size:.85rem}
@media (max-width:720px){header{padding-top:22px}main,header,footer{padding-left:12px;padding-right:12px}
section{padding:14px 14px 16px}.figures{grid-template-columns:1fr}figure .scroll .fig{min-width:640px}
figure.half .scroll .fig{min-width:0}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:6px}
tbody th,thead th:first-child{position:sticky;left:0;background:var(--card)}tr.strong>th{background:var(--tint)}}
@media print{body{background:#fff}section,.tile{break-inside:avoid}header{padding-top:0}.scroll{overflow:visible}}
)";

std::string figure_markup(const Figure& figure)
{
	return fmt::format("<figure{}><div class=\"scroll\">{}</div><figcaption>{}</figcaption></figure>\n",
			   figure.half ? " class=\"half\"" : "", figure.drawing.html, prose_markup(figure.caption));
}

std::string section_markup(const PageSection& section)
{
	std::string html = fmt::format("<section>\n<h2>{}</h2>\n", escape_markup(section.heading));
	for (const std::string& paragraph : section.prose)
		html += fmt::format("<p>{}</p>\n", prose_markup(paragraph));
	if (section.table)
		html += table_markup(*section.table).html;
	if (!section.figures.empty()) {
		html += "<div class=\"figures\">\n";
		for (const Figure& figure : section.figures)
			html += figure_markup(figure);
		html += "</div>\n";
	}
	if (!section.facts.empty()) {
		html += "<dl>\n";
		for (const PageFact& fact : section.facts)
			html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_markup(fact.name),
					    escape_markup(fact.value));
		html += "</dl>\n";
	}
	if (!section.notes.empty()) {
		html += "<ul class=\"notes\">\n";
		for (const std::string& note : section.notes)
			html += fmt::format("<li>{}</li>\n", prose_markup(note));
		html += "</ul>\n";
	}
	return html + "</section>\n";
}

std::string tile_markup(const PageTile& tile)
{
	const char* tone = tile.tone == Tone::good ? " good" : tile.tone == Tone::bad ? " bad" : "";
	return fmt::format("<div class=\"tile\"><p>{}</p><p class=\"value{}\">{}</p><p>{}</p></div>\n",
			   escape_markup(tile.label), tone, escape_markup(tile.value), prose_markup(tile.comparison));
}

}  // namespace

std::string page_style()
{
	return kStyle;
}

std::string html_page(const Page& page)
{
	std::string html =
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	    "base-uri 'none'; form-action 'none'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
	html += fmt::format("<title>{}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n", escape_markup(page.title),
			    figure_style(), kStyle);
	html += fmt::format(
	    "<header>\n<p class=\"eyebrow\">{}</p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n</header>\n<main>\n",
	    escape_markup(page.eyebrow), prose_markup(page.headline), prose_markup(page.lead));
	if (!page.tiles.empty()) {
		html += "<div class=\"tiles\">\n";
		for (const PageTile& tile : page.tiles)
			html += tile_markup(tile);
		html += "</div>\n";
	}
	for (const PageSection& section : page.sections)
		html += section_markup(section);
	html += fmt::format("</main>\n<footer>{}</footer>\n</body>\n</html>\n", escape_markup(page.footer));
	return html;
}

}  // namespace punctual
