// SPDX-License-Identifier: GPL-2.0-only
#include "view/live_page.h"

#include <fmt/format.h>

#include "view/figure.h"
#include "view/html_page.h"

// The assembler finds the files by the include directories of the compiler.
asm(R"(
.pushsection .rodata
.global punctual_live_body_begin
punctual_live_body_begin:
.incbin "src/view/live_page.html"
.global punctual_live_script_begin
punctual_live_script_begin:
.incbin "src/view/live_page.js"
.global punctual_live_script_end
punctual_live_script_end:
.popsection
)");

extern "C" const char punctual_live_body_begin[];
extern "C" const char punctual_live_script_begin[];
extern "C" const char punctual_live_script_end[];

namespace punctual {
namespace {

std::string_view between(const char* begin, const char* end)
{
	return {begin, static_cast<size_t>(end - begin)};
}

constexpr const char* kStyle = R"(#stale{margin:0 0 14px;padding:10px 16px;border-radius:10px;background:var(--bad);
color:var(--card);font-weight:600}
.stale main{opacity:.5;filter:grayscale(1)}
button{font:inherit;padding:4px 14px;border:1px solid var(--edge);border-radius:8px;background:var(--card);
color:var(--ink);cursor:pointer}
button:focus-visible,svg:focus-visible,.scroll:focus-visible{outline:3px solid var(--c1);outline-offset:2px}
.l0{stroke:var(--c2)}.l1{stroke:var(--c1)}.l2{stroke:var(--c0)}.k0{background:var(--c2)}.k1{background:var(--c1)}
.k2{background:var(--c0)}.heat rect{fill:var(--c1)}td.name{white-space:normal;overflow-wrap:anywhere;min-width:9em}
)";

}  // namespace

std::string live_page(std::string_view nonce)
{
	return fmt::format(
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<link rel=\"icon\" href=\"data:,\">\n"
	    "<title>punctual</title>\n<style nonce=\"{0}\">\n{1}{2}{3}</style>\n</head>\n<body>\n{4}"
	    "<script nonce=\"{0}\">\n{5}</script>\n</body>\n</html>\n",
	    nonce, figure_style(), page_style(), kStyle, between(punctual_live_body_begin, punctual_live_script_begin),
	    between(punctual_live_script_begin, punctual_live_script_end));
}

std::string live_page_policy(std::string_view nonce)
{
	return fmt::format(
	    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; "
	    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	    nonce);
}

}  // namespace punctual
