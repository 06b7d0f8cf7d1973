// SPDX-License-Identifier: GPL-2.0-only
#include "runq/frame.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

namespace punctual {
namespace {

constexpr std::string_view kMagic = "PUNCTREC";
constexpr u32 kVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + sizeof(u32);
constexpr size_t kFrameExtra = 2 * sizeof(u32);  // length before, checksum behind
constexpr int kZstdLevel = 3;

void append_u32(std::string& bytes, u32 value)
{
	for (int shift = 0; shift < 32; shift += 8)
		bytes += static_cast<char>(value >> shift);
}

u32 u32_at(std::span<const std::byte> bytes, size_t offset)
{
	u32 value = 0;
	for (size_t i = 0; i < sizeof(u32); i++)
		value |= std::to_integer<u32>(bytes[offset + i]) << (8 * i);
	return value;
}

u32 checksum(const void* bytes, size_t size)
{
	return static_cast<u32>(crc32(crc32(0, nullptr, 0), static_cast<const Bytef*>(bytes), static_cast<uInt>(size)));
}

// Nothing when it is no zstd frame of a size that we write.
std::optional<std::string> decompress(std::span<const std::byte> stored)
{
	const unsigned long long size = ZSTD_getFrameContentSize(stored.data(), stored.size());
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > kPayloadBytesMax)
		return std::nullopt;
	std::string payload(size, '\0');
	const size_t got = ZSTD_decompress(payload.data(), payload.size(), stored.data(), stored.size());
	if (ZSTD_isError(got) || got != size)
		return std::nullopt;
	return payload;
}

}  // namespace

std::string recording_header()
{
	std::string header(kMagic);
	append_u32(header, kVersion);
	return header;
}

Result<std::string> encode_frame(std::string_view payload)
{
	if (payload.size() > kPayloadBytesMax)
		return fail(ExitCode::failed, "a frame of {} bytes is too long for a recording (at most {})",
			    payload.size(), kPayloadBytesMax);
	std::string stored(ZSTD_compressBound(payload.size()), '\0');
	const size_t got = ZSTD_compress(stored.data(), stored.size(), payload.data(), payload.size(), kZstdLevel);
	if (ZSTD_isError(got))
		return fail(ExitCode::failed, "cannot compress a frame: {}", ZSTD_getErrorName(got));
	std::string frame;
	append_u32(frame, static_cast<u32>(got));
	frame.append(stored, 0, got);
	append_u32(frame, checksum(frame.data(), frame.size()));
	return frame;
}

Result<FrameReader> FrameReader::open(std::span<const std::byte> file)
{
	const std::string_view start(reinterpret_cast<const char*>(file.data()), std::min(file.size(), kMagic.size()));
	if (start != kMagic)
		return fail(ExitCode::usage, "this is no recording of `punctual record`");
	if (file.size() < kHeaderBytes)
		return fail(ExitCode::usage, "the recording ends inside its header");
	if (const u32 version = u32_at(file, kMagic.size()); version != kVersion)
		return fail(ExitCode::usage, "the recording has version {}, this punctual reads {}", version, kVersion);
	FrameReader reader(file);
	reader.offset_ = kHeaderBytes;
	return reader;
}

std::optional<std::string> FrameReader::next()
{
	const std::span<const std::byte> rest = file_.subspan(offset_);
	if (rest.empty() || !damage_.empty())
		return std::nullopt;
	const size_t length = rest.size() < sizeof(u32) ? 0 : u32_at(rest, 0);
	if (rest.size() < kFrameExtra || rest.size() - kFrameExtra < length) {
		damage_ = fmt::format("it is cut off inside the frame at byte {}", offset_);
		return std::nullopt;
	}
	std::optional<std::string> payload;
	if (u32_at(rest, sizeof(u32) + length) == checksum(rest.data(), sizeof(u32) + length))
		payload = decompress(rest.subspan(sizeof(u32), length));
	if (payload)
		offset_ += kFrameExtra + length;
	else
		damage_ = fmt::format("the frame at byte {} is damaged", offset_);
	return payload;
}

}  // namespace punctual
