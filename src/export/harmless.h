// SPDX-License-Identifier: GPL-2.0-only
// Names as other programs take them. Part of export/, shown to no other folder.
#pragma once

#include <string>
#include <string_view>

namespace punctual {

// Whoever makes a cgroup or a BPF program chooses its name: only printable ASCII of it is printed, the rest as _x1b, so
// are those `taken`.
std::string harmless(std::string_view name, std::string_view taken);

}  // namespace punctual
