// SPDX-License-Identifier: GPL-2.0-only
// Opens a scheduler's object, a built-in one from memory and any other from a file; nothing after
// that knows the difference. Needs no privilege and no kernel support: mistakes are found early.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

struct bpf_object;

namespace punctual {

struct ObjectClose {
	void operator()(bpf_object* object) const;
};
using ObjectPtr = std::unique_ptr<bpf_object, ObjectClose>;

// SCHED: the name of a built-in scheduler, or the path of an object. Errors (usage) say what it
// is instead: nothing, no BPF object, a damaged one, one without a scheduler. A file is read by a copy of
// this process first, because libbpf crashes on some damaged ones.
Result<ObjectPtr> open_object(std::string_view sched);

}  // namespace punctual
