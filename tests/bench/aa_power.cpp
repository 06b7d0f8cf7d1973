// SPDX-License-Identifier: GPL-2.0-only
// aa_power FILE: how often the verdict of a bench is wrong. FILE is what `punctual bench --arms X,X --starts N --json`
// printed: pairs of runs of one arm. 200 draws of as many of its pairs as the bench would ask for to find 20 %: how
// many show a difference of the p99 where there is none, and how many find one that is planted, as the second run of
// each pair slowed down by a fifth. Prints one line of JSON.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "measure/paired.h"

namespace {

constexpr size_t kDraws = 200;
constexpr double kPlanted = 1.2;
constexpr double kMargin = 0.05;

struct Pairs {
	std::vector<double> first, second;
};

Pairs read_pairs(const nlohmann::json& document)
{
	Pairs pairs;
	for (const nlohmann::json& start : document.at("starts")) {
		pairs.first.push_back(start.at("arms").at(0).at("p99_ns").get<double>());
		pairs.second.push_back(start.at("arms").at(1).at("p99_ns").get<double>());
	}
	return pairs;
}

Pairs draw(const Pairs& all, size_t nr, std::mt19937_64& random)
{
	std::vector<size_t> order(all.first.size());
	std::iota(order.begin(), order.end(), 0);
	std::ranges::shuffle(order, random);
	Pairs drawn;
	for (size_t i = 0; i < nr; i++) {
		drawn.first.push_back(all.first[order[i]]);
		drawn.second.push_back(all.second[order[i]]);
	}
	return drawn;
}

bool finds_a_difference(const Pairs& pairs)
{
	const auto change = punctual::compare_pairs(pairs.first, pairs.second);
	if (!change)
		return false;
	const auto verdict = punctual::judge_pairs(*change, change->p, 1, kMargin, false).verdict;
	return verdict == punctual::PairedVerdict::better || verdict == punctual::PairedVerdict::worse;
}

int measure(const Pairs& all)
{
	const auto whole = punctual::compare_pairs(all.first, all.second);
	if (!whole) {
		std::fputs("aa_power: no pairs\n", stderr);
		return 1;
	}
	const size_t needed = punctual::pairs_needed(whole->spread, kPlanted);
	if (needed > all.first.size() / 2) {
		std::fprintf(stderr, "aa_power: %zu pairs are too few, 20 %% takes %zu\n", all.first.size(), needed);
		return 1;
	}
	std::mt19937_64 random(1);
	size_t wrong = 0;
	size_t found = 0;
	for (size_t i = 0; i < kDraws; i++) {
		Pairs drawn = draw(all, needed, random);
		wrong += finds_a_difference(drawn);
		for (double& value : drawn.second)
			value *= kPlanted;
		found += finds_a_difference(drawn);
	}
	std::printf(
	    "{\"pairs\": %zu, \"ratio\": %.3f, \"spread\": %.3f, \"needed\": %zu, \"draws\": %zu, \"wrong\": %zu, "
	    "\"found\": %zu}\n",
	    all.first.size(), whole->ratio, whole->spread, needed, kDraws, wrong, found);
	return 0;
}

}  // namespace

int main(int argc, char** argv)
{
	if (argc != 2) {
		std::fputs("usage: aa_power FILE\n", stderr);
		return 2;
	}
	const auto text = punctual::read_file(argv[1]);
	if (!text) {
		std::fprintf(stderr, "aa_power: %s\n", text.error().what.c_str());
		return 1;
	}
	return measure(read_pairs(nlohmann::json::parse(*text)));
}
