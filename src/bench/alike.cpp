// SPDX-License-Identifier: GPL-2.0-only
#include "bench/alike.h"

#include <cmath>
#include <cstdlib>

namespace punctual {
namespace {

constexpr double kRoundingMax = 1e-5;

bool is_alike(const std::pair<std::string, std::string>& one, const std::pair<std::string, std::string>& other)
{
	if (one == other)
		return true;
	if (one.first != other.first || !one.first.starts_with("work_"))
		return false;
	const double value = std::strtod(one.second.c_str(), nullptr);
	return value > 0 && std::abs(value - std::strtod(other.second.c_str(), nullptr)) <= kRoundingMax * value;
}

}  // namespace

Status refuse_unlike(const BenchResult& first, const BenchResult& other)
{
	if (first.environment.size() != other.environment.size())
		return fail(ExitCode::invalid, "the boots of '{}' and '{}' differ in what they tell of themselves",
			    first.arms[0].name, other.arms[0].name);
	for (size_t i = 0; i < first.environment.size(); i++)
		if (!is_alike(first.environment[i], other.environment[i]))
			return fail(ExitCode::invalid, "the boots of '{}' and '{}' were not alike: {} is {} and {}",
				    first.arms[0].name, other.arms[0].name, first.environment[i].first,
				    first.environment[i].second, other.environment[i].second);
	return {};
}

}  // namespace punctual
