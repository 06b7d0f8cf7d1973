// SPDX-License-Identifier: GPL-2.0-only
// The live page of `punctual serve`: one document with its own style and script, which asks the server that it came
// from for JSON and draws it. It holds no data itself.
#pragma once

#include <string>
#include <string_view>

namespace punctual {

// `nonce`: new for each answer, and unguessable; the page's style and script carry it.
std::string live_page(std::string_view nonce);

// The Content-Security-Policy to send with it: its own style and script, its own server, and nothing else.
std::string live_page_policy(std::string_view nonce);

}  // namespace punctual
