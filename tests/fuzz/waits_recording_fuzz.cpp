// SPDX-License-Identifier: GPL-2.0-only
// A recording comes from somebody else's machine. Nobody finds a checksum by chance, so the input is also cut into
// payloads and put into sound frames: whoever writes a hostile file can do that too.
#include <cstdlib>
#include <string>

#include "runq/frame.h"
#include "runq/payload.h"
#include "runq/recording.h"

using namespace punctual;

namespace {

u64 samples_of(const Recording& recording)
{
	const u64 nr = recording.total.all().count();
	for (double q : {0.0, 0.5, 0.999, 1.0})
		if (nr && recording.total.all().quantile_ns(q) > recording.total.all().max_ns)
			abort();
	return nr;
}

// Frames of the input: a length byte, then so many bytes of payload.
std::string framed(std::string_view input)
{
	std::string file = recording_header() + encode_frame(environment_payload({})).value();
	while (!input.empty()) {
		const std::string_view payload = input.substr(1, static_cast<unsigned char>(input.front()));
		input.remove_prefix(1 + payload.size());
		file += encode_frame(payload).value();
	}
	return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const auto raw = parse_recording(std::as_bytes(std::span(data, size)));
	if (raw)
		samples_of(*raw);
	const std::string file = framed({reinterpret_cast<const char*>(data), size});
	u64 nr_windows = 0;
	const auto whole =
	    parse_recording(std::as_bytes(std::span(file)), [&](u64, const WaitSnapshot&) { nr_windows++; });
	if (!whole || whole->nr_windows != nr_windows)
		abort();
	const auto cut = parse_recording(std::as_bytes(std::span(file)).first(file.size() - file.size() / 8));
	if (cut && samples_of(*cut) > samples_of(*whole))
		abort();
	return 0;
}
