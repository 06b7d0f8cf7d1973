// SPDX-License-Identifier: GPL-2.0-only
// A read-only HTTP server for a few documents that lie ready in memory: GET and HEAD, nothing else.
//
// It hides libmicrohttpd, which is opened when a server starts and not linked: that library brings a TLS library of
// 6 MB, which would make the start of every other command four times as long. One thread serves all connections; who
// is slow, sends much or asks without end costs no more than the limits say.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

struct HttpDocument {
	std::shared_ptr<const std::string> body;  // null: there is no such document
	std::string type;                         // Content-Type
	std::string policy = {};                  // Content-Security-Policy; empty: "default-src 'none'"
};

// Of a path such as "/metrics". Called on the server's thread, once a request.
using HttpDocuments = std::function<HttpDocument(std::string_view path)>;

struct HttpLimits {
	unsigned connections_max = 64;    // further ones wait in the kernel's queue
	size_t memory_max = 16UL * 1024;  // a connection, for the head of a request: more is answered by 431
	std::chrono::seconds idle_max{10};
	std::chrono::seconds request_max{10};  // from the end of the last answer to the end of the next
	std::chrono::seconds pressed_max{2};   // the same when three quarters of the connections are taken
};

class HttpServer {
 public:
	// Serves from now on until it is destroyed, which ends all connections at once. Who is not on this machine gets
	// in only when the socket is not local (is_local): else a request must name this machine in its Host, so that
	// no page of the Internet can read ours by a name that it lets point here. Error (lacking): libmicrohttpd is
	// not installed.
	static Result<HttpServer> start(UniqueFd listening, HttpDocuments documents, const HttpLimits& limits = {});
	HttpServer(HttpServer&&) noexcept;
	HttpServer& operator=(HttpServer&&) = delete;
	HttpServer(const HttpServer&) = delete;
	HttpServer& operator=(const HttpServer&) = delete;
	~HttpServer();

	// Ends connections that are over the limits of time; to be called about once in a second.
	void sweep();

 private:
	struct State;
	explicit HttpServer(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

// Does the value of a Host header name this machine: localhost, or a loopback address, with or without a port?
bool names_this_machine(std::string_view host);

}  // namespace punctual
