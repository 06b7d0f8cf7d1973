// SPDX-License-Identifier: GPL-2.0-only
// libbpf trusts what an object says of itself, and crashes on some that are damaged (1.4.6). Whoever runs a scheduler
// must not end with it, so what libbpf does with a file it does in a copy of this process first.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

// `doing` is what `work` does to the object, for the message: "reading". Whether the work succeeds is not asked here.
// Error (usage): it crashed, or did not end in time.
Status try_in_copy(const std::string& path, std::string_view doing, std::chrono::seconds limit,
		   const std::function<void()>& work);

}  // namespace punctual
