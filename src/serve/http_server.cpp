// SPDX-License-Identifier: GPL-2.0-only
#include "serve/http_server.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "serve/listen_socket.h"

namespace punctual {
namespace {

constexpr const char* kLibrary = "libmicrohttpd.so.12";  // of Debian 12 (0.9.75) and of Debian 13 (1.0.1)
constexpr const char* kNothingAllowed = "default-src 'none'";

// The functions of the library that we use, with the types of its header.
struct Library {
	decltype(&::MHD_start_daemon) start_daemon = nullptr;
	decltype(&::MHD_stop_daemon) stop_daemon = nullptr;
	decltype(&::MHD_create_response_from_buffer_with_free_callback_cls) create_response = nullptr;
	decltype(&::MHD_destroy_response) destroy_response = nullptr;
	decltype(&::MHD_add_response_header) add_header = nullptr;
	decltype(&::MHD_queue_response) queue_response = nullptr;
	decltype(&::MHD_lookup_connection_value) lookup_value = nullptr;
	decltype(&::MHD_get_connection_info) connection_info = nullptr;
};

template <typename Function>
bool find(void* library, const char* name, Function* function)
{
	*function = reinterpret_cast<Function>(::dlsym(library, name));
	return *function != nullptr;
}

// Stays open: a library that started threads is not to be unloaded.
Result<Library> open_library()
{
	void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return fail(ExitCode::lacking,
			    "serve needs {}, of Debian's package libmicrohttpd12 (12) or "
			    "libmicrohttpd12t64 (13): {}",
			    kLibrary, ::dlerror());
	Library library;
	if (!find(handle, "MHD_start_daemon", &library.start_daemon) ||
	    !find(handle, "MHD_stop_daemon", &library.stop_daemon) ||
	    !find(handle, "MHD_create_response_from_buffer_with_free_callback_cls", &library.create_response) ||
	    !find(handle, "MHD_destroy_response", &library.destroy_response) ||
	    !find(handle, "MHD_add_response_header", &library.add_header) ||
	    !find(handle, "MHD_queue_response", &library.queue_response) ||
	    !find(handle, "MHD_lookup_connection_value", &library.lookup_value) ||
	    !find(handle, "MHD_get_connection_info", &library.connection_info))
		return fail(ExitCode::lacking, "{} is too old: {}", kLibrary, ::dlerror());
	return library;
}

using Body = std::shared_ptr<const std::string>;

void release_body(void* body)
{
	delete static_cast<Body*>(body);
}

struct Answer {
	unsigned status = MHD_HTTP_OK;
	HttpDocument document;
};

Answer refusal(unsigned status, std::string_view words)
{
	return {status, {std::make_shared<const std::string>(fmt::format("{}\n", words)), "text/plain"}};
}

}  // namespace

struct HttpServer::State {
	State(Library functions, HttpDocuments documents_of, const HttpLimits& limits_of)
	    : library(functions), documents(std::move(documents_of)), limits(limits_of)
	{}
	State(const State&) = delete;
	State& operator=(const State&) = delete;
	~State();

	int fd_of(MHD_Connection* connection) const;
	Answer answer(MHD_Connection* connection, std::string_view path) const;
	MHD_Result send(MHD_Connection* connection, const Answer& answer) const;

	// The library's callbacks.
	static MHD_Result on_request(void* state, MHD_Connection* connection, const char* url, const char* method,
				     const char* version, const char* upload, size_t* upload_size, void** request);
	static void on_completed(void* state, MHD_Connection* connection, void** request,
				 MHD_RequestTerminationCode why);
	static void on_connection(void* state, MHD_Connection* connection, void** context,
				  MHD_ConnectionNotificationCode what);

	Library library;
	HttpDocuments documents;
	HttpLimits limits;
	bool is_local = true;
	MHD_Daemon* daemon = nullptr;
	std::mutex mutex;                        // of the next one: the library's thread and the sweeper
	std::map<int, uint64_t> quiet_since_ns;  // by descriptor, at most connections_max
};

HttpServer::State::~State()
{
	if (daemon)
		library.stop_daemon(daemon);  // closes the socket and all connections
}

int HttpServer::State::fd_of(MHD_Connection* connection) const
{
	const MHD_ConnectionInfo* info = library.connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info ? info->connect_fd : -1;
}

Answer HttpServer::State::answer(MHD_Connection* connection, std::string_view path) const
{
	const char* host = library.lookup_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	if (is_local && host && !names_this_machine(host))
		return refusal(MHD_HTTP_MISDIRECTED_REQUEST, "ask by the name localhost, or by a loopback address");
	Answer found{.document = documents(path)};
	return found.document.body ? found : refusal(MHD_HTTP_NOT_FOUND, "no such page");
}

MHD_Result HttpServer::State::send(MHD_Connection* connection, const Answer& answer) const
{
	const HttpDocument& document = answer.document;
	auto* body = new Body(document.body);  // lives until the last byte is sent
	MHD_Response* response =
	    library.create_response((*body)->size(), const_cast<char*>((*body)->data()), release_body, body);
	if (!response) {
		release_body(body);
		return MHD_NO;  // no memory: the connection is closed
	}
	const auto add = [&](const char* name, const char* value) { library.add_header(response, name, value); };
	add(MHD_HTTP_HEADER_CONTENT_TYPE, document.type.c_str());
	add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	add("Content-Security-Policy", document.policy.empty() ? kNothingAllowed : document.policy.c_str());
	add("X-Content-Type-Options", "nosniff");
	add("Cross-Origin-Resource-Policy", "same-origin");
	add("Referrer-Policy", "no-referrer");
	if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		add(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	const MHD_Result queued = library.queue_response(connection, answer.status, response);
	library.destroy_response(response);
	return queued;
}

// Called when the head of a request is there, and again when its body is.
MHD_Result HttpServer::State::on_request(
    void* state, MHD_Connection* connection, const char* url, const char* method, const char*, const char*,
    size_t* upload_size,  // NOLINT(readability-non-const-parameter): the library's type
    void** request)
{
	static char is_known;
	auto* self = static_cast<State*>(state);
	const bool is_readable =
	    method == std::string_view(MHD_HTTP_METHOD_GET) || method == std::string_view(MHD_HTTP_METHOD_HEAD);
	// The library keeps a connection that is answered at the second call, and closes one that is answered at the
	// first, whatever else was to come on it.
	if (is_readable && !*request) {
		*request = &is_known;
		return MHD_YES;
	}
	if (is_readable && *upload_size > 0)
		return MHD_NO;  // a body where none belongs: the connection is closed
	return self->send(connection, is_readable ? self->answer(connection, url)
						  : refusal(MHD_HTTP_METHOD_NOT_ALLOWED, "read-only: GET or HEAD"));
}

void HttpServer::State::on_completed(void* state, MHD_Connection* connection, void**, MHD_RequestTerminationCode)
{
	auto* self = static_cast<State*>(state);
	const std::lock_guard lock(self->mutex);
	if (const auto it = self->quiet_since_ns.find(self->fd_of(connection)); it != self->quiet_since_ns.end())
		it->second = monotonic_ns();
}

void HttpServer::State::on_connection(void* state, MHD_Connection* connection, void**,
				      MHD_ConnectionNotificationCode what)
{
	auto* self = static_cast<State*>(state);
	const std::lock_guard lock(self->mutex);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		self->quiet_since_ns[self->fd_of(connection)] = monotonic_ns();
	else
		self->quiet_since_ns.erase(self->fd_of(connection));  // told before the descriptor is closed
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() = default;

Result<HttpServer> HttpServer::start(UniqueFd listening, HttpDocuments documents, const HttpLimits& limits)
{
	auto state = std::make_unique<State>(TRY(open_library()), std::move(documents), limits);
	state->is_local = is_local(listening.get());
	const int flags = ::fcntl(listening.get(), F_GETFL);  // one that was passed may block
	if (flags < 0 || ::fcntl(listening.get(), F_SETFL, flags | O_NONBLOCK) != 0)
		return fail_errno(errno, ExitCode::failed, "the listening socket cannot be used");
	state->daemon = state->library.start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, State::on_request, state.get(),
	    MHD_OPTION_LISTEN_SOCKET, listening.get(), MHD_OPTION_CONNECTION_LIMIT, limits.connections_max,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.memory_max, MHD_OPTION_CONNECTION_TIMEOUT,
	    static_cast<unsigned>(limits.idle_max.count()), MHD_OPTION_NOTIFY_COMPLETED, State::on_completed,
	    state.get(), MHD_OPTION_NOTIFY_CONNECTION, State::on_connection, state.get(), MHD_OPTION_END);
	if (!state->daemon)
		return fail_errno(errno, ExitCode::failed, "the HTTP server does not start");
	(void)listening.release();  // the library's from now on
	return HttpServer(std::move(state));
}

// The library's own timeout begins anew with each byte, so a byte in time would hold a connection for hours.
void HttpServer::sweep()
{
	const HttpLimits& limits = state_->limits;
	const std::lock_guard lock(state_->mutex);
	const bool is_pressed = state_->quiet_since_ns.size() * 4 >= limits.connections_max * size_t{3};
	const std::chrono::nanoseconds limit = is_pressed ? limits.pressed_max : limits.request_max;
	const uint64_t now_ns = monotonic_ns();
	for (const auto& [fd, since_ns] : state_->quiet_since_ns)
		if (now_ns - since_ns > static_cast<uint64_t>(limit.count()))
			::shutdown(fd, SHUT_RDWR);  // the library sees the end, and closes it
}

bool names_this_machine(std::string_view host)
{
	std::string_view name = host;
	if (name.starts_with('[')) {
		const size_t end = name.find(']');
		return end != std::string_view::npos && name.substr(0, end + 1) == "[::1]" &&
		       (name.size() == end + 1 || name[end + 1] == ':');
	}
	name = name.substr(0, name.find(':'));
	// Whole addresses only: 127.0.0.1.example.org is a name that anybody may have.
	return name == "localhost" || (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

}  // namespace punctual
