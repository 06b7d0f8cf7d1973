// SPDX-License-Identifier: GPL-2.0-only
// Several starts of one bench, each slightly another: what holds for one start may be an accident of how its timers,
// ticks and arrivals fell. All arms of a start have the same seed and the same settle time, so they are pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/result.h"
#include "measure/paired.h"

namespace punctual {

constexpr uint64_t kStartsMax = 256;
constexpr Nanoseconds kSettleSpread = std::chrono::milliseconds(40);

// The options of start number `start`, counted from 0, which is `options` itself: another seed, and up to 40 ms more to
// settle, which no tick (1 to 10 ms) divides.
BenchOptions options_of_start(const BenchOptions& options, uint64_t start);

// So many starts, at least, can give a verdict on each question about so many arms.
uint64_t starts_min(size_t nr_arms);

// In which order the arms run, as indices: as given when there is one start; else there and back by turns, so that a
// drift of the machine cancels (ABBA), and each such block begins at an end that chance chooses.
std::vector<size_t> arm_order(size_t nr_arms, uint64_t start, uint64_t nr_starts, uint64_t seed);

// An arm over all starts: everything is added up. REQUIRES: all starts have the same arms, and there is one.
ArmResult total_of(std::span<const BenchResult> starts, size_t arm);

// What is asked of each arm against the first. The p99 is the question that was named before; the others are corrected
// for being several (Holm), and so is it for several arms.
struct ArmQuestion {
	std::string arm;
	std::string metric;  // "p99", "p99.9", "background work"
	bool is_primary = false;
	std::optional<PairedChange> change;  // none: a value was 0
	double p = 1;                        // corrected
	PairedJudgement judgement;
};

// REQUIRES: all starts have the same arms. `margin`: what difference would not matter, 0.05: 5 %.
std::vector<ArmQuestion> compare_starts(std::span<const BenchResult> starts, double margin);

// The first arm's p99 against itself, one start against the next: what two runs of one arm differ by. nullopt: too few.
std::optional<PairedChange> noise_floor(std::span<const BenchResult> starts);

}  // namespace punctual
