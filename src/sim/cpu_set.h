// SPDX-License-Identifier: GPL-2.0-only
// A set of CPUs, as the kernel's cpumask: plain words, so that 1,024 CPUs cost sixteen operations.
#pragma once

#include <array>
#include <bit>

#include "abi/sched.h"

namespace punctual::sim {

class CpuSet {
 public:
	static constexpr u32 kNone = ~0U;

	static CpuSet first(u32 count);  // 0 .. count - 1

	void add(u32 cpu) { words_[cpu / 64] |= 1ULL << (cpu % 64); }
	void remove(u32 cpu) { words_[cpu / 64] &= ~(1ULL << (cpu % 64)); }
	void add(const CpuSet& others);
	void remove(const CpuSet& others);
	bool has(u32 cpu) const { return words_[cpu / 64] >> (cpu % 64) & 1; }
	u32 count() const;
	u32 lowest() const;  // kNone: empty
	CpuSet operator&(const CpuSet& other) const;

 private:
	std::array<u64, CPUS_MAX / 64> words_ = {};
};

inline CpuSet CpuSet::first(u32 count)
{
	CpuSet set;
	for (u32 cpu = 0; cpu < count; cpu++)
		set.add(cpu);
	return set;
}

inline u32 CpuSet::count() const
{
	u32 sum = 0;
	for (u64 word : words_)
		sum += static_cast<u32>(std::popcount(word));
	return sum;
}

inline u32 CpuSet::lowest() const
{
	for (u32 i = 0; i < words_.size(); i++)
		if (words_[i])
			return i * 64 + static_cast<u32>(std::countr_zero(words_[i]));
	return kNone;
}

inline void CpuSet::add(const CpuSet& others)
{
	for (u32 i = 0; i < words_.size(); i++)
		words_[i] |= others.words_[i];
}

inline void CpuSet::remove(const CpuSet& others)
{
	for (u32 i = 0; i < words_.size(); i++)
		words_[i] &= ~others.words_[i];
}

inline CpuSet CpuSet::operator&(const CpuSet& other) const
{
	CpuSet both;
	for (u32 i = 0; i < words_.size(); i++)
		both.words_[i] = words_[i] & other.words_[i];
	return both;
}

}  // namespace punctual::sim
