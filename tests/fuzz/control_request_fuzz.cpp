// SPDX-License-Identifier: GPL-2.0-only
// Any packet must give a request that is read again as itself, or an error in one line; and a reply that no client
// minds.
#include <cstdlib>
#include <string_view>

#include "guard/control_request.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const std::string_view text(reinterpret_cast<const char*>(data), size);
	(void)parse_control_reply(text);
	const Result<ControlRequest> request = parse_control_request(text);
	if (request) {
		const Result<ControlRequest> again = parse_control_request(control_request_json(*request));
		if (!again || !(*again == *request))
			abort();
		return 0;
	}
	const ControlReply reply{request.error().code, request.error().what};
	const Result<ControlReply> read = parse_control_reply(control_reply_json(reply));
	if (reply.text.find('\n') != std::string::npos || reply.code != ExitCode::usage || !read || read->text.empty())
		abort();
	return 0;
}
