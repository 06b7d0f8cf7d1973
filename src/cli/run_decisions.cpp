// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_decisions.h"

namespace punctual {

Result<DecisionRun> DecisionRun::create(const std::string& path)
{
	if (path.empty())
		return DecisionRun(std::nullopt);
	return DecisionRun(TRY(DecisionFile::create(path)));
}

void DecisionRun::follow(Scheduler& scheduler)
{
	if (!file_ || !scheduler.decisions())
		return;
	scheduler.decisions()->drain(&*file_);
	if (file_->nr_left_out() && !told_of_bound_)
		fmt::print(stderr, "punctual: {} is full ({} MiB): later decisions are left out\n",
			   file_->path().native(), DecisionFile::kBytesMax >> 20);
	told_of_bound_ = file_->nr_left_out() > 0;
}

void DecisionRun::end(Scheduler& scheduler)
{
	if (!file_ || !scheduler.decisions())
		return;
	follow(scheduler);
	uint64_t nr_lost = scheduler.decisions()->nr_lost();
	if (Status ended = file_->end(nr_lost); !ended)
		fmt::print(stderr, "punctual: {}\n", ended.error().what);
	fmt::print(stderr, "punctual: {} has {} decisions; {} were lost, {} left out\n", file_->path().native(),
		   file_->nr_records(), nr_lost, file_->nr_left_out());
}

}  // namespace punctual
