// SPDX-License-Identifier: GPL-2.0-only
#include "object/decision_ring.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace punctual {
namespace {

// Two runaway classes on one CPU make 90 MB a second, and then the reader has only the floor to come in.
constexpr uint32_t kRingBytes = 64U << 20;

}  // namespace

struct DecisionRing::State {
	ring_buffer* ring = nullptr;
	DecisionFile* file = nullptr;  // during drain()
	uint64_t drained_bytes = 0;    // since it began
	bpf_map* lost_map = nullptr;
	uint32_t lost_offset = 0;

	State() = default;
	State(const State&) = delete;
	State& operator=(const State&) = delete;
	~State() { ring_buffer__free(ring); }

	static int take(void* state, void* record, size_t bytes);
};

Status prepare_decisions(bpf_object* object, const Variables& variables)
{
	const Variable* flag = variables.find("record_decisions");
	bpf_map* ring = bpf_object__find_map_by_name(object, "decisions");
	if (!flag || !ring || !variables.find("nr_decisions_lost") || !store_scalar(*flag, 1))
		return fail(ExitCode::usage,
			    "it has no decisions to record; run scx_latency, or leave --record-decisions out");
	bpf_map__set_max_entries(ring, kRingBytes);
	return {};
}

// Negative ends libbpf's loop, after this record.
int DecisionRing::State::take(void* context, void* record, size_t bytes)
{
	auto* state = static_cast<State*>(context);
	state->file->add({static_cast<const std::byte*>(record), bytes});
	state->drained_bytes += bytes;
	return state->drained_bytes < kRingBytes ? 0 : -EAGAIN;
}

Result<DecisionRing> DecisionRing::of_object(bpf_object* object, const Variables& variables)
{
	const Variable* lost = variables.find("nr_decisions_lost");
	auto state = std::make_unique<State>();
	state->lost_map = lost->map;
	state->lost_offset = lost->offset;
	int fd = bpf_object__find_map_fd_by_name(object, "decisions");
	state->ring = ring_buffer__new(fd, State::take, state.get(), nullptr);
	if (!state->ring)
		return fail_errno(errno, ExitCode::failed, "cannot map the ring buffer of decisions");
	return DecisionRing(std::move(state));
}

DecisionRing::DecisionRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
DecisionRing::DecisionRing(DecisionRing&&) noexcept = default;
DecisionRing::~DecisionRing() = default;

void DecisionRing::drain(DecisionFile* file)
{
	state_->file = file;
	state_->drained_bytes = 0;
	ring_buffer__consume(state_->ring);
}

uint64_t DecisionRing::nr_lost() const
{
	std::vector<char> value(bpf_map__value_size(state_->lost_map));
	uint64_t nr_lost = 0;
	uint32_t zero = 0;
	if (bpf_map_lookup_elem(bpf_map__fd(state_->lost_map), &zero, value.data()) == 0 &&
	    state_->lost_offset + sizeof(nr_lost) <= value.size())
		std::memcpy(&nr_lost, value.data() + state_->lost_offset, sizeof(nr_lost));
	return nr_lost;
}

}  // namespace punctual
