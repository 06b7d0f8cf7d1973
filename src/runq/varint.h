// SPDX-License-Identifier: GPL-2.0-only
// Numbers and texts inside a frame: LEB128 (seven bits a byte, the lowest first), and length-prefixed bytes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "abi/types.h"

namespace punctual {

constexpr size_t kRecordedTextMax = 4096;  // as long as a path can be

inline void put_number(std::string& out, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		out += static_cast<char>(value | 0x80);
	out += static_cast<char>(value);
}

inline void put_text(std::string& out, std::string_view text)
{
	text = text.substr(0, kRecordedTextMax);
	put_number(out, text.size());
	out += text;
}

// Reads what the functions above wrote. Past the end, or at nonsense, it fails for good and gives zeros, so a caller
// asks once at the end and checks only the numbers by which it loops or indexes.
class PayloadReader {
 public:
	explicit PayloadReader(std::string_view bytes) : rest_(bytes) {}

	u64 number()
	{
		u64 value = 0;
		for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
			const auto byte = static_cast<unsigned char>(rest_.front());
			rest_.remove_prefix(1);
			if (shift == 63 && byte > 1)  // beyond u64
				break;
			value |= static_cast<u64>(byte & 0x7f) << shift;
			if (byte < 0x80)
				return value;
		}
		return fail();
	}
	// A number that has a bound.
	u64 number(u64 most)
	{
		const u64 value = number();
		return value <= most ? value : fail();
	}
	// How many things follow: each takes a byte or more, so there are no more of them than bytes.
	size_t count() { return number(rest_.size()); }
	std::string text()
	{
		const std::string_view found = rest_.substr(0, number(std::min(kRecordedTextMax, rest_.size())));
		rest_.remove_prefix(found.size());
		return std::string(found);
	}
	bool failed() const { return failed_; }
	bool is_done() const { return !failed_ && rest_.empty(); }

 private:
	u64 fail()
	{
		failed_ = true;
		rest_ = {};
		return 0;
	}
	std::string_view rest_;
	bool failed_ = false;
};

}  // namespace punctual
