// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Log-linear buckets: which bucket a value falls into, and which values a bucket holds.
//
// Each octave [2^n, 2^(n+1)) is cut into 2^bits equal buckets, so a bucket is never wider than
// 1/2^bits of the values in it: 3.1 % with 5 bits, 0.8 % with 7. Values below 2^(bits+1) have a
// bucket of their own. Buckets lie end to end from 0 to 2^64-1: nothing overflows, nothing is lost.
// Kernel and user space read each other's arrays through these functions only.
//
// Invariants, for every value v and i = loglin_index(v, bits):
//   loglin_min(i, bits) <= v <= loglin_max(i, bits);   v <= w implies index(v) <= index(w).
// REQUIRES 0 < bits < 32, bits < value_bits, and indexes below loglin_buckets(bits, 64).
#pragma once

#include "abi/types.h"

// Run-queue waits in the kernel: 5 bits, up to 2^36 ns (68.7 s), beyond that the last bucket.
constexpr u32 LOGLIN_RUNQ_BITS = 5;
constexpr u32 LOGLIN_RUNQ_VALUE_BITS = 36;
constexpr u32 LOGLIN_RUNQ_BUCKETS = (LOGLIN_RUNQ_VALUE_BITS - LOGLIN_RUNQ_BITS + 1) << LOGLIN_RUNQ_BITS;

// Latencies in user space: 7 bits, all of u64.
constexpr u32 LOGLIN_FINE_BITS = 7;
constexpr u32 LOGLIN_FINE_BUCKETS = (64 - LOGLIN_FINE_BITS + 1) << LOGLIN_FINE_BITS;

// How many buckets cover the values below 2^value_bits.
static inline u32 loglin_buckets(u32 bits, u32 value_bits)
{
	return (value_bits - bits + 1) << bits;
}

static inline u32 loglin_index(u64 value, u32 bits)
{
	// The lowest two rows, [0, 2^bits) and [2^bits, 2^(bits+1)), both have width 1. Setting the bit
	// that marks the second row lets one formula serve values that have no leading bit there (and 0,
	// for which counting leading zeros is undefined).
	u32 shift = 63 - (u32)__builtin_clzll(value | (1ULL << bits)) - bits;

	return (shift << bits) + (u32)(value >> shift);
}

// The same for an array that ends at 2^value_bits (at most 63): larger values fall into its last bucket.
static inline u32 loglin_index_capped(u64 value, u32 bits, u32 value_bits)
{
	u64 value_max = (1ULL << value_bits) - 1;

	return loglin_index(value < value_max ? value : value_max, bits);
}

// The smallest value of a bucket.
static inline u64 loglin_min(u32 index, u32 bits)
{
	u32 row = index >> bits;
	u64 column = index & ((1U << bits) - 1);

	return row == 0 ? column : (column + (1ULL << bits)) << (row - 1);
}

// The largest value of a bucket; it belongs to the bucket.
static inline u64 loglin_max(u32 index, u32 bits)
{
	u32 row = index >> bits;

	return loglin_min(index, bits) + (row == 0 ? 0 : (1ULL << (row - 1)) - 1);
}
