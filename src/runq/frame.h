// SPDX-License-Identifier: GPL-2.0-only
// The outer layer of a recording: a header, then frames that are whole or not there at all.
//
// File: 8 bytes of magic, u32 version, then frames to the end. Frame: u32 length of what is stored, that many
// bytes (one zstd frame that says its own size), u32 CRC-32 of length and stored bytes. Numbers are little-endian.
// docs/recordings.md describes the format for other readers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "abi/types.h"
#include "base/result.h"

namespace punctual {

// No frame is longer, compressed or not: a reader allocates no more for one.
constexpr size_t kPayloadBytesMax = 16UL << 20;

std::string recording_header();

// Error when the payload is longer than kPayloadBytesMax.
Result<std::string> encode_frame(std::string_view payload);

// Walks the frames of a file in memory; copies nothing but the payload that it gives.
class FrameReader {
 public:
	// Error (usage): no recording, or one of another version.
	static Result<FrameReader> open(std::span<const std::byte> file);

	// The next payload; nullopt at the end of the file or at the first frame that is not whole.
	std::optional<std::string> next();
	// Why next() gave none before the end of the file; empty when there was nothing more.
	const std::string& damage() const { return damage_; }
	size_t offset() const { return offset_; }  // of the frame that next() will read

 private:
	explicit FrameReader(std::span<const std::byte> file) : file_(file) {}
	std::span<const std::byte> file_;
	size_t offset_ = 0;
	std::string damage_;
};

}  // namespace punctual
