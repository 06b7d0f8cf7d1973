// SPDX-License-Identifier: GPL-2.0-only
#include "lab/cpio.h"

#include <sys/stat.h>

#include <charconv>

namespace punctual {
namespace {

constexpr std::string_view kMagic = "070701";
constexpr std::string_view kEndMark = "TRAILER!!!";
constexpr size_t kHeaderBytes = 110;  // magic and 13 fields of 8 digits
constexpr size_t kPathBytesMax = 4096;

uint64_t padded(uint64_t bytes)
{
	return (bytes + 3) & ~uint64_t{3};
}

// The fields that carry something, by position.
enum Field { kMode = 1, kFileSize = 6, kNameSize = 11 };

Result<uint32_t> field(std::string_view header, int position)
{
	const std::string_view digits = header.substr(kMagic.size() + 8 * static_cast<size_t>(position), 8);
	uint32_t value = 0;
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
	if (error != std::errc() || end != digits.data() + digits.size())
		return fail(ExitCode::failed, "broken archive: '{}' is not a number", digits);
	return value;
}

}  // namespace

void CpioWriter::put(std::string_view bytes)
{
	sink_(bytes);
	written_ += bytes.size();
}

void CpioWriter::pad()
{
	constexpr std::string_view kZeros("\0\0\0", 3);
	put(kZeros.substr(0, padded(written_) - written_));
}

void CpioWriter::add(std::string_view path, uint32_t mode, std::string_view contents)
{
	const uint32_t links = S_ISDIR(mode) ? 2 : 1;
	put(fmt::format("{}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", kMagic,
			next_inode_++, mode, 0, 0, links, 0, contents.size(), 0, 0, 0, 0, path.size() + 1, 0));
	put(path);
	put(std::string_view("\0", 1));
	pad();
	put(contents);
	pad();
}

void CpioWriter::finish()
{
	add(kEndMark, 0, "");
}

Result<std::vector<CpioEntry>> read_cpio(std::string_view archive)
{
	std::vector<CpioEntry> entries;
	uint64_t at = 0;
	for (;;) {
		if (archive.size() - at < kHeaderBytes)
			return fail(ExitCode::failed, "broken archive: it ends without an end mark");
		const std::string_view header = archive.substr(at, kHeaderBytes);
		if (!header.starts_with(kMagic))
			return fail(ExitCode::failed, "broken archive: no entry at byte {}", at);
		const uint64_t file_bytes = TRY(field(header, kFileSize));
		const uint64_t name_bytes = TRY(field(header, kNameSize));
		if (name_bytes < 2 || name_bytes > kPathBytesMax)
			return fail(ExitCode::failed, "broken archive: a name of {} bytes", name_bytes);
		const uint64_t contents_at = padded(at + kHeaderBytes + name_bytes);
		const uint64_t next = padded(contents_at + file_bytes);
		if (next > archive.size())
			return fail(ExitCode::failed, "broken archive: it ends inside an entry");
		const std::string_view path = archive.substr(at + kHeaderBytes, name_bytes - 1);
		if (path == kEndMark)
			return entries;
		entries.push_back(
		    {std::string(path), TRY(field(header, kMode)), archive.substr(contents_at, file_bytes)});
		at = next;
	}
}

}  // namespace punctual
