// SPDX-License-Identifier: GPL-2.0-only
#include "base/cgroup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

TEST(CgroupMount, IsLookedUpNotAssumed)
{
	// A hybrid machine: version 1 where one would expect version 2.
	const char* hybrid =
	    "31 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
	    "32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw\n"
	    "33 31 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
	EXPECT_EQ(cgroup2_mount_in(hybrid).value(), "/sys/fs/cgroup/unified");
	EXPECT_EQ(cgroup2_mount_in("1 2 0:3 / /with\\040space rw - cgroup2 none rw\n").value(), "/with space");
}

TEST(CgroupMount, MissingOneNamesTheRemedy)
{
	for (const char* text :
	     {"", "garbage", "1 2 0:3 / /cgroup2 rw - tmpfs cgroup2 rw\n", "1 2 - cgroup2 none rw\n"}) {
		const Result<fs::path> mount = cgroup2_mount_in(text);
		ASSERT_FALSE(mount) << text;
		EXPECT_EQ(mount.error().code, ExitCode::lacking);
		EXPECT_NE(mount.error().what.find("mount -t cgroup2"), std::string::npos);
	}
}

// A directory tree in the place of the mount.
struct FindCgroup : testing::Test {
	TempDir mount = TempDir::create("punctual-test-").value();

	void make(const char* path) { fs::create_directories(mount.path() / path); }
	std::string find(std::string_view name)
	{
		Result<fs::path> found = find_cgroup_below(mount.path(), name);
		return found ? found->lexically_relative(mount.path()).native() : "error";
	}
};

TEST_F(FindCgroup, TakesPathsWithAndWithoutTheMount)
{
	make("vnf.slice/worker");
	EXPECT_EQ(find("vnf.slice/worker"), "vnf.slice/worker");
	EXPECT_EQ(find("vnf.slice/worker/"), "vnf.slice/worker");
	EXPECT_EQ(find("/vnf.slice/worker"), "vnf.slice/worker");  // as /proc/PID/cgroup prints it
	EXPECT_EQ(find((mount.path() / "vnf.slice").native()), "vnf.slice");
}

TEST_F(FindCgroup, NestsSlicesByTheirDashes)
{
	make("a.slice/a-b.slice/a-b-c.slice");
	EXPECT_EQ(find("a-b.slice"), "a.slice/a-b.slice");
	EXPECT_EQ(find("a-b-c.slice"), "a.slice/a-b.slice/a-b-c.slice");
	EXPECT_EQ(find("-.slice"), ".");
}

TEST_F(FindCgroup, PlaceOfSystemdWinsOverANamesakeElsewhere)
{
	make("a.slice/a-b.slice");
	make("user.slice/a-b.slice");  // of a user's own systemd
	EXPECT_EQ(find("a-b.slice"), "a.slice/a-b.slice");
}

TEST_F(FindCgroup, FindsServicesWhereverTheyRun)
{
	make("system.slice/nginx.service");
	make("vnf.slice/upf.service");
	EXPECT_EQ(find("nginx.service"), "system.slice/nginx.service");
	EXPECT_EQ(find("upf.service"), "vnf.slice/upf.service");
	EXPECT_EQ(find("gone.service"), "error");
}

TEST_F(FindCgroup, RefusesToGuessBetweenTwo)
{
	make("a.slice/x.service");
	make("b.slice/x.service");
	const Result<fs::path> found = find_cgroup_below(mount.path(), "x.service");
	ASSERT_FALSE(found);
	EXPECT_NE(found.error().what.find("ambiguous"), std::string::npos) << found.error().what;
}

TEST_F(FindCgroup, NeverLeavesTheMount)
{
	make("vnf.slice");
	for (const char* name : {"../", "..", "vnf.slice/../..", "/../etc", "/etc", ""})
		EXPECT_EQ(find(name), "error") << name;
	// A neighbour whose name merely begins like the mount is not below it.
	EXPECT_EQ(find(mount.path().native() + "-other"), "error");
}

TEST_F(FindCgroup, ErrorNamesWhatWasMeant)
{
	const Error error = find_cgroup_below(mount.path(), "vnf.slice").error();
	EXPECT_EQ(error.code, ExitCode::usage);
	EXPECT_NE(error.what.find("'vnf.slice'"), std::string::npos) << error.what;
}

TEST_F(FindCgroup, IdIsTheInodeNumber)
{
	make("a");
	struct stat status;
	ASSERT_EQ(::stat((mount.path() / "a").c_str(), &status), 0);
	EXPECT_EQ(cgroup_id(mount.path() / "a").value(), status.st_ino);
	EXPECT_FALSE(cgroup_id(mount.path() / "b"));
}

// Needs a writable cgroup2; skips, and says so, where there is none.
struct LiveCgroup : testing::Test {
	std::string name = "punctual-test-" + std::to_string(::getpid());

	Result<ScopedCgroup> make() { return ScopedCgroup::create(name); }
};

#define MAKE_OR_SKIP(group)                                \
	Result<ScopedCgroup> made_##group = make();        \
	if (!made_##group)                                 \
		GTEST_SKIP() << made_##group.error().what; \
	std::optional<ScopedCgroup> group(std::move(*made_##group))

TEST_F(LiveCgroup, GoesAwayWithItsProcesses)
{
	MAKE_OR_SKIP(group);
	const fs::path path = group->path();
	Child child = Child::spawn({"sleep", "1000"}, {.cgroup = path.native()}).value();
	EXPECT_EQ(read_line(path / "cgroup.procs").value(), std::to_string(child.pid()));
	fs::create_directory(path / "inner");  // programs may make cgroups of their own
	group.reset();
	EXPECT_FALSE(fs::exists(path));
	EXPECT_EQ(child.wait().value(), 128 + SIGKILL);
}

// As a run that is killed: its cgroup stays, and the lock goes with the process.
TEST_F(LiveCgroup, TheNoteOfAKilledRunIsFoundAndTheNextRunTakesItsPlace)
{
	MAKE_OR_SKIP(group);
	EXPECT_EQ(note_left_behind(name), std::nullopt);  // its owner lives
	group.reset();
	EXPECT_EQ(note_left_behind(name), std::nullopt);
	const pid_t killed = ::fork();
	if (killed == 0) {
		const Result<ScopedCgroup> left = ScopedCgroup::create(name, " as it was");
		::_exit(left ? 0 : 1);  // without destructors
	}
	int status = -1;
	ASSERT_EQ(::waitpid(killed, &status, 0), killed);
	ASSERT_EQ(status, 0);
	EXPECT_EQ(note_left_behind(name), " as it was");
	EXPECT_TRUE(make());
	EXPECT_EQ(note_left_behind(name), std::nullopt);
}

TEST_F(LiveCgroup, SecondOfTheSameNameIsRefused)
{
	MAKE_OR_SKIP(group);
	const Result<ScopedCgroup> second = make();
	ASSERT_FALSE(second);
	EXPECT_NE(second.error().what.find("exists already"), std::string::npos) << second.error().what;
	EXPECT_TRUE(fs::exists(group->path()));  // and the refusal did not remove the first
}

TEST_F(LiveCgroup, CountsCpuTimeOfItsProcesses)
{
	MAKE_OR_SKIP(group);
	const uint64_t before_us = group->cpu_usage_us().value();
	Child child = Child::spawn({"sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"},
				   {.cgroup = group->path().native()})
			  .value();
	EXPECT_EQ(child.wait().value(), 0);
	EXPECT_GT(group->cpu_usage_us().value(), before_us);
}

TEST_F(LiveCgroup, TakesARunningProcess)
{
	MAKE_OR_SKIP(group);
	Child child = Child::spawn({"sleep", "1000"}).value();
	ASSERT_TRUE(group->add(child.pid()));
	EXPECT_EQ(read_line(group->path() / "cgroup.procs").value(), std::to_string(child.pid()));
	EXPECT_FALSE(group->write("cgroup.procs", "not a number"));
}

}  // namespace
}  // namespace punctual
