// SPDX-License-Identifier: GPL-2.0-only
// The ring buffer through which a scheduler tells its decisions (abi/decision.h): prepared before the object is
// loaded, emptied while it runs. Hides libbpf. Borrows the object. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "object/decision_file.h"
#include "object/variables.h"

struct bpf_object;

namespace punctual {

// Makes an object that was opened, and not loaded yet, record. Error (usage): it has no decisions to record.
Status prepare_decisions(bpf_object* object, const Variables& variables);

class DecisionRing {
 public:
	// Of an object that was prepared so, and loaded.
	static Result<DecisionRing> of_object(bpf_object* object, const Variables& variables);
	DecisionRing(DecisionRing&&) noexcept;
	DecisionRing& operator=(DecisionRing&&) = delete;
	~DecisionRing();

	// Moves what is there into the file. Bounded: of what comes meanwhile the rest stays for the next time.
	void drain(DecisionFile* file);

	// Decisions for which there was no room, so far.
	uint64_t nr_lost() const;

 private:
	struct State;
	explicit DecisionRing(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

}  // namespace punctual
