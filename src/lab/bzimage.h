// SPDX-License-Identifier: GPL-2.0-only
// The ELF kernel inside a bzImage. QEMU starts it by its PVH entry, which skips the kernel's own decompressor
// (1 to 4 s in emulation).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

// The compressed kernel and the size it unpacks to, as the setup header of the boot protocol says.
struct KernelPayload {
	std::string_view compressed;  // points into the image
	size_t unpacked_bytes;
};

Result<KernelPayload> find_kernel_payload(std::string_view bzimage);

// The unpacked ELF kernel. Payloads as Debian builds them: zstd, and lz4 before that (6.1).
Result<std::string> unpack_kernel(std::string_view bzimage);

}  // namespace punctual
