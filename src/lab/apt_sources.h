// SPDX-License-Identifier: GPL-2.0-only
// Which Debian mirror this machine uses, read out of its apt sources. Pure: texts in, address out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace punctual {

struct AptSourceFile {
	bool deb822;  // *.sources; otherwise one line an entry
	std::string text;
};

// The address of the main Debian archive (not the security one, no third party's). nullopt when none is named.
std::optional<std::string> debian_archive(const std::vector<AptSourceFile>& files);

}  // namespace punctual
