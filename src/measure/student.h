// SPDX-License-Identifier: GPL-2.0-only
// What few samples know less than many.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace punctual {

// Student's t quantile for a normal one (1.96: 97.5 %), two terms of the expansion by Cornish and Fisher (Abramowitz
// and Stegun, 26.7.5): within 2 % from five degrees of freedom on.
inline double student_t(double normal, size_t nr_samples)
{
	const auto free = static_cast<double>(std::max<size_t>(nr_samples, 2) - 1);
	const double first = (std::pow(normal, 3) + normal) / 4;
	const double second = (5 * std::pow(normal, 5) + 16 * std::pow(normal, 3) + 3 * normal) / 96;
	return normal + first / free + second / (free * free);
}

// By how much a bootstrap interval of 95 % of n samples has to be widened: Student's t, and the variance that n of n
// resamples lack.
inline double small_sample_factor(size_t nr_samples)
{
	constexpr double kNormal = 1.96;
	const auto nr = static_cast<double>(std::max<size_t>(nr_samples, 2));
	return student_t(kNormal, nr_samples) / kNormal * std::sqrt(nr / (nr - 1));
}

}  // namespace punctual
