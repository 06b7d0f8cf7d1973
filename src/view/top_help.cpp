// SPDX-License-Identifier: GPL-2.0-only
#include <iterator>
#include <string_view>

#include "view/top_parts.h"

namespace punctual {
namespace {

// At most 24 lines of 80 columns.
constexpr std::string_view kHelp[] = {
    "punctual top: how long tasks waited for a CPU after they became runnable",
    "",
    "Tab  u c t m     next view; CPUs, cgroups, tasks, culprit matrix",
    "arrows  h j k l  move; sideways: more columns, or open and close a cache",
    "PgUp PgDn Home End  Enter",
    "/                filter by name: type, then Enter; Esc clears it",
    "s  S             sort by the next column; the other way round",
    "f                freeze what is shown, to read or filter it; f again goes on",
    "i                window: the last interval, or all since the reset",
    "r                reset: measure from now",
    "+  -             interval longer, shorter",
    "w                write this screen to a file in the current directory",
    "q  Esc           quit",
    "",
    "p50, p99, max    us (or s); upper ends of buckets, at most 3.1 % too high",
    "max ever         of a task, exact, since the start",
    "open             waits that have not ended: no other figure contains them",
    "losses           since the start: what the figures lack; any lost: do not trust",
    "throttled        by cpu.max: part of its periods, and for how long",
    "culprits         part of the victim's waiting while that cgroup ran on its CPU;",
    "                 waits below 10 us blame nobody",
    "(gone)           the cgroup was removed, its counts are kept",
    "",
    "Any key closes this.",
};

}  // namespace

void draw_help(Canvas* canvas)
{
	for (size_t y = 0; y < std::size(kHelp); y++)
		canvas->put(1, static_cast<int>(y), kHelp[y], {y == 0 ? Ink::accent : Ink::plain, y == 0, false});
}

}  // namespace punctual
