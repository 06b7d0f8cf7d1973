// SPDX-License-Identifier: GPL-2.0-only
#include "lab/bzimage.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace punctual {
namespace {

// Offsets in the setup header (Documentation/arch/x86/boot.rst of the kernel).
constexpr size_t kSetupSectors = 0x1f1;
constexpr size_t kMagic = 0x202;
constexpr size_t kPayloadOffset = 0x248;
constexpr size_t kPayloadLength = 0x24c;
constexpr size_t kHeaderEnd = 0x250;

constexpr size_t kUnpackedBytesMax = 1UL << 30;
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);
constexpr std::string_view kLz4Magic("\x02\x21\x4c\x18", 4);  // the legacy format, as of lz4 -l: lz4_Frame_format.md
constexpr size_t kLz4BlockBytes = 8UL << 20;                  // each, unpacked, but the last

uint32_t little_endian_32(std::string_view bytes, size_t at)
{
	uint32_t value = 0;
	std::memcpy(&value, bytes.data() + at, sizeof(value));  // we only run on little endian machines
	return value;
}

Status unpack_zstd(std::string_view packed, std::string* kernel)
{
	const size_t size = ZSTD_decompress(kernel->data(), kernel->size(), packed.data(), packed.size());
	if (ZSTD_isError(size))
		return fail(ExitCode::failed, "broken bzImage: {}", ZSTD_getErrorName(size));
	kernel->resize(size);
	return {};
}

Status unpack_lz4(std::string_view packed, std::string* kernel)
{
	size_t done = 0;
	packed.remove_prefix(kLz4Magic.size());
	while (packed.size() > 4) {
		const size_t length = little_endian_32(packed, 0);
		packed.remove_prefix(4);
		if (length > packed.size())
			return fail(ExitCode::failed, "broken bzImage: a block of lz4 lies outside of it");
		const size_t room = std::min(kLz4BlockBytes, kernel->size() - done);
		const std::string block(packed.substr(0, length));
		const int size = LZ4_decompress_safe(block.data(), kernel->data() + done,
						     static_cast<int>(block.size()), static_cast<int>(room));
		if (size < 0)
			return fail(ExitCode::failed, "broken bzImage: no lz4 in its payload");
		done += static_cast<size_t>(size);
		packed.remove_prefix(length);
	}
	kernel->resize(done);
	return {};
}

}  // namespace

Result<KernelPayload> find_kernel_payload(std::string_view image)
{
	if (image.size() < kHeaderEnd || image.substr(kMagic, 4) != "HdrS")
		return fail(ExitCode::failed, "not a bzImage: no setup header");
	const size_t sectors = static_cast<uint8_t>(image[kSetupSectors]);
	const size_t start = ((sectors == 0 ? 4 : sectors) + 1) * 512 + little_endian_32(image, kPayloadOffset);
	const size_t length = little_endian_32(image, kPayloadLength);
	if (start > image.size() || length > image.size() - start || length < 8)
		return fail(ExitCode::failed, "broken bzImage: its payload lies outside of it");
	// The build appends the unpacked size to the compressed data.
	const size_t unpacked = little_endian_32(image, start + length - 4);
	return KernelPayload{image.substr(start, length - 4), unpacked};
}

Result<std::string> unpack_kernel(std::string_view bzimage)
{
	const KernelPayload payload = TRY(find_kernel_payload(bzimage));
	const bool is_lz4 = payload.compressed.starts_with(kLz4Magic);
	if (!is_lz4 && !payload.compressed.starts_with(kZstdMagic))
		return fail(ExitCode::failed,
			    "the kernel in this bzImage is compressed neither with zstd nor with lz4");
	if (payload.unpacked_bytes > kUnpackedBytesMax)
		return fail(ExitCode::failed, "broken bzImage: it claims to unpack to {} bytes",
			    payload.unpacked_bytes);
	std::string kernel(payload.unpacked_bytes, '\0');
	TRY(is_lz4 ? unpack_lz4(payload.compressed, &kernel) : unpack_zstd(payload.compressed, &kernel));
	if (!kernel.starts_with("\x7f"
				"ELF"))
		return fail(ExitCode::failed, "the kernel in this bzImage is not an ELF file");
	return kernel;
}

}  // namespace punctual
