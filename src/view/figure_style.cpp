// SPDX-License-Identifier: GPL-2.0-only
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "view/figure.h"

namespace punctual {
namespace {

// Each colour stands out from its background by 3:1 or more; they differ in lightness as well as in hue.
constexpr const char* kLight =
    R"(--ink:#1b1f24;--muted:#59626e;--grid:#dfe3e8;--page:#f6f7f9;--card:#fff;--edge:#e1e5ea;
--good:#14743a;--bad:#b3261e;--tint:#eaf3fb;
--c0:#c8500a;--c1:#0a6cb5;--c2:#117a43;--c3:#a63d9b;--c4:#8a6a00;--c5:#1f8a86;--c6:#4b3fa8;--c7:#8c1d4f;)";
constexpr const char* kDark =
    R"(--ink:#e8eaed;--muted:#a3adb9;--grid:#333a43;--page:#101317;--card:#181c22;--edge:#2a3038;
--good:#5fd08a;--bad:#ff8a80;--tint:#162a3c;
--c0:#ff9152;--c1:#58b4ff;--c2:#55cf86;--c3:#e391dc;--c4:#e6c34a;--c5:#5fd3ca;--c6:#ab9fff;--c7:#f57fae;)";

constexpr const char* kRules = R"(
.fig{display:block;width:100%;height:auto;font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums}
.fig text{fill:var(--ink)}
.fig .mid{text-anchor:middle}.fig .end{text-anchor:end}
.fig .tick,.fig .label,.fig .note{fill:var(--muted);font-size:12px}
.fig .strong{font-weight:700}
.fig .halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.fig .grid{stroke:var(--grid)}.fig .minor{stroke-opacity:.5}.fig .axis{stroke:var(--muted)}
.fig .over{fill:var(--bad);fill-opacity:.05}
.fig line.budget{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:6 4}
.fig text.budget{fill:var(--bad);font-size:12px;font-weight:600}
.fig .reference{stroke:var(--muted);stroke-dasharray:4 4}
.fig .curve{fill:none;stroke-width:1.8;stroke-linejoin:round}
.fig .curve.strong{stroke-width:3.6}.fig .tail{stroke-opacity:.5}
.fig .d1{stroke-dasharray:7 3}.fig .d2{stroke-dasharray:2 3}
.fig .leader{fill:none;stroke-opacity:.6}
.fig .mark{stroke:var(--ink);stroke-opacity:.7;stroke-dasharray:3 3}
.fig .h0{fill-opacity:.14}.fig .h1{fill-opacity:.24}.fig .h2{fill-opacity:.34}.fig .h3{fill-opacity:.46}
.fig .h4{fill-opacity:.58}.fig .h5{fill-opacity:.72}.fig .h6{fill-opacity:.86}
.fig .frontier{fill:none;stroke:var(--muted);stroke-width:1.5;stroke-opacity:.6}
.fig .box rect{stroke:var(--card);stroke-width:.5}.fig .box .in{font-size:11px;pointer-events:none}
.fig .box .detail{visibility:hidden;font-size:12px;pointer-events:none}
.fig .box:hover .detail,.fig .box:focus .detail{visibility:visible}
.fig .box:hover rect,.fig .box:focus rect{stroke:var(--ink);stroke-width:1.5}.fig .box:focus{outline:none}
.fig .part{fill-opacity:.42}.fig .plain{fill:var(--muted);fill-opacity:.18}
.fig .open{fill:var(--card)!important;stroke-width:2}
)";

}  // namespace

std::string figure_style()
{
	std::string style = fmt::format(
	    ":root{{color-scheme:light dark;{}}}\n"
	    "@media (prefers-color-scheme:dark){{:root{{{}}}}}\n"
	    "@media print{{:root{{color-scheme:light;{}}}}}{}",
	    kLight, kDark, kLight, kRules);
	for (int color = 0; color < kColors; ++color)
		style += fmt::format(
		    ".fig .s{0}{{stroke:var(--c{0})}}.fig .f{0}{{fill:var(--c{0})}}.k{0}{{background:var(--c{0})}}\n",
		    color);
	return style;
}

std::string standalone_svg(const Markup& figure)
{
	// Only a file of its own needs the name space; on a page it would be the one address in it.
	constexpr std::string_view kHead = "<svg";
	size_t head_end = figure.html.find('>') + 1;
	return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + figure.html.substr(kHead.size(), head_end - kHead.size()) +
	       "\n<style>" + figure_style() + ".fig{background:var(--card)}</style>" + figure.html.substr(head_end);
}

}  // namespace punctual
