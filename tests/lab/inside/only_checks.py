# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual run --only` promises, on a real kernel. Runs inside a lab guest with two CPUs, with the
directory of test objects in $OBJECTS."""
import os
import signal
import subprocess
import time
import unittest

from running import Running, cpu_of, make_cgroup, ran_ns, sched_ext, wait_disabled, wait_for

OBJECTS = os.environ["OBJECTS"]
FAILED, USAGE, LACKING = 1, 2, 3
OTHER, FIFO, BATCH, IDLE, EXT = 0, 1, 3, 5, 7
RESET_ON_FORK = 0x40000000
CGROUPS = "/sys/fs/cgroup"
RECORD = "/run/punctual/only.json"
ONLY = ["--only", "--cpus", "1", "--slice"]
SPIN = ["sh", "-c", "while :; do :; done"]


def punctual(*arguments):
    return subprocess.run(["punctual", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=120)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def cpuset(cgroup):
    """Everything of it that --only could change."""
    return {name: read(f"{CGROUPS}/{cgroup}/{name}") for name in ("cpuset.cpus.exclusive", "cpuset.cpus.partition")}


def policy(pid):
    return os.sched_getscheduler(pid)


def move(pid, cgroup):
    write(f"{CGROUPS}/{cgroup}/cgroup.procs", str(pid))


class Only(unittest.TestCase):
    """Each test begins and ends without a scheduler, a record and a partition."""

    def setUp(self):
        self.started = []
        make_cgroup("vnf.slice")
        self.assert_untouched()

    def tearDown(self):
        for process in self.started:
            process.kill()
            process.communicate()
        self.assert_untouched()

    def assert_untouched(self):
        wait_disabled()
        self.assertEqual(cpuset("vnf.slice"), {"cpuset.cpus.exclusive": "", "cpuset.cpus.partition": "member"})
        self.assertFalse(os.path.exists(RECORD))

    def spawn(self, cgroup, argv=None, nice=0, old_policy=OTHER, priority=0):
        def prepare():
            move(os.getpid(), cgroup)
            os.nice(nice)
            os.sched_setscheduler(0, old_policy, os.sched_param(priority))

        process = subprocess.Popen(argv or SPIN, stdin=subprocess.PIPE, preexec_fn=prepare)
        self.started.append(process)
        return process

    def spin(self, *where, **how):
        return self.spawn(*where, **how).pid

    def wait_policy(self, pid, wanted):
        wait_for(lambda: policy(pid) == wanted, f"policy {wanted} of {pid}", 10)

    def assert_progress(self, *pids):
        before = {pid: ran_ns(pid) for pid in pids}
        for pid in pids:
            wait_for(lambda pid=pid: ran_ns(pid) > before[pid] + 20_000_000, f"{pid} to run", 20)

    def assert_refused(self, code, arguments, *words):
        ended = punctual("run", *arguments, "--", "true")
        self.assertEqual(ended.returncode, code, ended)
        self.assertEqual(ended.stderr.count("\n"), 1, ended)
        for word in words:
            self.assertIn(word, ended.stderr)


class Following(Only):
    def test_only_the_slice_leaves_eevdf_and_all_of_it_gets_on(self):
        old = self.spin("vnf.slice", nice=5, old_policy=BATCH | RESET_ON_FORK)
        forking = self.spawn("vnf.slice", ["sh", "-c", "read go; while :; do :; done & wait"])
        outside = [self.spin("."), self.spin(".", nice=10)]
        with Running("scx_latency", "--only", "--slice", "vnf.slice=60us", "--cpus", "1") as run:
            run.wait_enabled()
            self.assertEqual((sched_ext("state"), sched_ext("switch_all")), ("enabled", "0"))
            self.assertEqual(cpuset("vnf.slice"), {"cpuset.cpus.exclusive": "1", "cpuset.cpus.partition": "root"})
            self.assertEqual(policy(old), EXT | RESET_ON_FORK)
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, old), 5)

            forking.stdin.write(b"go\n")
            forking.stdin.flush()
            children = f"/proc/{forking.pid}/task/{forking.pid}/children"
            wait_for(lambda: read(children), "the fork", 10)
            child = int(read(children).split()[0])
            self.assertEqual(policy(child), EXT)

            moved = self.spin(".", old_policy=IDLE)
            move(moved, "vnf.slice")
            self.wait_policy(moved, EXT)

            self.assert_progress(old, child, moved, *outside)
            self.assertEqual([policy(pid) for pid in outside], [OTHER, OTHER])
            self.assertEqual([cpu_of(pid) for pid in (old, child, moved)], [1, 1, 1])
            self.assertEqual([cpu_of(pid) for pid in outside], [0, 0])

            move(moved, ".")
            self.wait_policy(moved, IDLE)
            move(child, ".")
            self.wait_policy(child, OTHER)  # never had another: what its maker had
            self.assert_progress(child)
            self.assertEqual(run.stop(), 0, run.lines)
        self.assertEqual([policy(pid) for pid in (old, child, moved, forking.pid)],
                         [BATCH | RESET_ON_FORK, OTHER, IDLE, OTHER])
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, old), 5)

    def test_real_time_threads_are_left_alone_and_named_once(self):
        fifo = self.spawn("vnf.slice", ["sleep", "1000"], old_policy=FIFO, priority=1).pid
        with Running("scx_simple", *ONLY, "vnf.slice") as run:
            run.wait_enabled()
            time.sleep(1)
            self.assertEqual(policy(fifo), FIFO)
            self.assertEqual(run.stop(), 0)
            self.assertEqual(len([line for line in run.lines if f"thread {fifo} (sleep)" in line]), 1, run.lines)

    def test_child_moved_out_at_once_does_not_stay_behind(self):
        # Between two looks: nobody ever saw it in the slice.
        script = f"sh -c 'echo $$ > {CGROUPS}/cgroup.procs; while :; do :; done' & echo $!; wait"
        with Running("scx_simple", *ONLY, "vnf.slice") as run:
            run.wait_enabled()
            with subprocess.Popen(["sh", "-c", f"read go; {script}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True) as parent:
                move(parent.pid, "vnf.slice")
                self.wait_policy(parent.pid, EXT)
                parent.stdin.write("go\n")
                parent.stdin.flush()
                child = int(parent.stdout.readline())
                try:
                    self.wait_policy(child, OTHER)
                    self.assertEqual(run.stop(), 0)
                finally:
                    os.kill(child, signal.SIGKILL)
                    parent.kill()

    def test_any_scheduler_can_be_loaded_this_way(self):
        pid = self.spin("vnf.slice")
        for sched in ("scx_simple", f"{OBJECTS}/foreign_fifo.bpf.o"):
            ended = punctual("run", sched, *ONLY, "vnf.slice", "--", "python3", "-c",
                             f"import os; print(open('/sys/kernel/sched_ext/switch_all').read().strip(), "
                             f"os.sched_getscheduler({pid}))")
            self.assertEqual((ended.returncode, ended.stdout), (0, f"0 {EXT}\n"), ended)
            self.assertEqual(policy(pid), OTHER)


class Partitions(Only):
    def test_existing_partition_is_used_and_left_alone(self):
        make_cgroup("shared")
        write(f"{CGROUPS}/shared/cpuset.cpus.exclusive", "1")
        write(f"{CGROUPS}/shared/cpuset.cpus.partition", "isolated")
        try:
            for name in ("a.slice", "b.slice", "other"):
                make_cgroup(f"shared/{name}")
            pids = [self.spin("shared/a.slice"), self.spin("shared/b.slice")]
            slices = ["--slice", "shared/a.slice=60us", "--slice", "shared/b.slice"]
            with Running("scx_latency", "--only", "--cpus", "1", *slices) as run:
                run.wait_enabled()
                self.assertEqual([policy(pid) for pid in pids], [EXT, EXT])
                self.assert_progress(*pids)
                self.assertEqual(run.stop(), 0)
            self.assertEqual([policy(pid) for pid in pids], [OTHER, OTHER])
            self.assertEqual(cpuset("shared"), {"cpuset.cpus.exclusive": "1", "cpuset.cpus.partition": "isolated"})

            stranger = self.spin("shared/other")
            self.assert_refused(USAGE, ["scx_latency", "--only", "--cpus", "1", *slices], str(stranger), "starve")
            self.assert_refused(LACKING, ["scx_latency", "--only", "--cpus", "0", *slices], "partition")
        finally:
            write(f"{CGROUPS}/shared/cpuset.cpus.partition", "member")
            write(f"{CGROUPS}/shared/cpuset.cpus.exclusive", "\n")

    def test_lost_partition_ends_it_before_the_slice_starves(self):
        pid = self.spin("vnf.slice")
        with Running("scx_simple", *ONLY, "vnf.slice") as run:
            run.wait_enabled()
            write("/sys/devices/system/cpu/cpu1/online", "0")
            try:
                self.assertEqual(run.end(), LACKING, run.lines)
                self.assertTrue(run.find("no cpuset partition of CPUs 1 in .*vnf.slice"), run.lines)
                self.assertEqual(policy(pid), OTHER)
                wait_disabled()
            finally:
                write("/sys/devices/system/cpu/cpu1/online", "1")
        # The kernel does not let go of an absent CPU: the record waits until it is back.
        if os.path.exists(RECORD):
            self.assertTrue(run.find("is a CPU of 1 offline"), run.lines)
            self.assertEqual(punctual("unload").returncode, 0)

    def test_refused_partition_is_reported_with_the_kernels_reason(self):
        make_cgroup("taken/vnf.slice")
        write(f"{CGROUPS}/taken/cgroup.subtree_control", "+cpuset")
        write(f"{CGROUPS}/taken/cpuset.cpus.exclusive", "1")
        write(f"{CGROUPS}/taken/cpuset.cpus.partition", "root")
        try:
            self.assert_refused(LACKING, ["scx_simple", *ONLY, "vnf.slice"], "neighbour")
            self.assert_refused(LACKING, ["scx_simple", "--only", "--cpus", "0", "--slice", "taken/vnf.slice"],
                                "invalid (")
        finally:
            write(f"{CGROUPS}/taken/cpuset.cpus.partition", "member")
            write(f"{CGROUPS}/taken/cpuset.cpus.exclusive", "\n")

    def test_slice_anywhere_in_the_tree_can_have_one(self):
        make_cgroup("deep/voice.slice")
        make_cgroup("deep/other")
        beside = self.spin("deep/other")
        pid = self.spin("deep/voice.slice")
        with Running("scx_simple", *ONLY, "deep/voice.slice") as run:
            run.wait_enabled()
            self.assertTrue(run.find("cpuset is enabled in .*/deep/cgroup.subtree_control"), run.lines)
            self.assertEqual((policy(pid), policy(beside)), (EXT, OTHER))
            self.assert_progress(pid, beside)
            self.assertEqual((cpu_of(pid), cpu_of(beside)), (1, 0))
            self.assertEqual(run.stop(), 0)
        self.assertEqual(policy(pid), OTHER)
        for cgroup in ("deep", "deep/voice.slice"):
            self.assertEqual(cpuset(cgroup), {"cpuset.cpus.exclusive": "", "cpuset.cpus.partition": "member"})

    def test_traps_are_refused(self):
        make_cgroup("b.slice")
        self.assert_refused(USAGE, ["scx_simple", "--only", "--slice", "vnf.slice"], "--cpus")
        self.assert_refused(USAGE, ["scx_simple", "--only", "--cpus", "1"], "--slice")
        self.assert_refused(USAGE, ["scx_simple", "--only", "--cpus", "0-1", "--slice", "vnf.slice"], "all CPUs")
        self.assert_refused(USAGE, ["scx_simple", *ONLY, "no-such.slice"], "no-such.slice")
        self.assert_refused(USAGE, ["scx_simple", *ONLY, "/"], "root cgroup")
        self.assert_refused(LACKING, ["scx_simple", *ONLY, "b.slice", "--slice", "vnf.slice"], "below one cgroup")


class Repair(Only):
    def setUp(self):
        super().setUp()
        self.pids = [self.spin("vnf.slice"), self.spin("vnf.slice", old_policy=BATCH)]

    def kill_loader(self):
        with Running("scx_latency", *ONLY, "vnf.slice=60us") as run:
            run.wait_enabled()
            run.send(signal.SIGKILL)
            run.end()
            wait_disabled()
        self.assertEqual([policy(pid) for pid in self.pids], [EXT, EXT])
        self.assertEqual(cpuset("vnf.slice")["cpuset.cpus.partition"], "root")

    def assert_repaired(self):
        self.assertEqual([policy(pid) for pid in self.pids], [OTHER, BATCH])
        self.assert_untouched()

    def test_unload_repairs_after_a_killed_loader(self):
        self.kill_loader()
        self.pids.append(self.spin("vnf.slice", old_policy=EXT))  # as if forked after the last look
        ended = punctual("unload")
        self.assertEqual((ended.returncode, ended.stderr.count("\n")), (0, 1), ended)
        self.assertIn("undid", ended.stderr)
        self.assertEqual(policy(self.pids.pop()), OTHER)
        self.assert_repaired()
        self.assertEqual(punctual("unload").returncode, FAILED)

    def test_next_start_repairs_after_a_killed_loader(self):
        self.kill_loader()
        ended = punctual("run", "scx_latency", *ONLY, "vnf.slice=60us", "--", "true")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("undid", ended.stderr)
        self.assert_repaired()

    def test_damaged_record_is_reported_and_kept(self):
        self.kill_loader()
        record = read(RECORD)
        write(RECORD, record[:len(record) // 2])
        for arguments in (["unload"], ["run", "scx_simple", *ONLY, "vnf.slice", "--", "true"]):
            ended = punctual(*arguments)
            self.assertEqual(ended.returncode, FAILED, ended)
            self.assertIn(RECORD, ended.stderr)
            self.assertEqual(read(RECORD), record[:len(record) // 2])
        write(RECORD, record)
        self.assertEqual(punctual("unload").returncode, 0)
        self.assert_repaired()

    def test_record_of_a_living_loader_is_not_touched(self):
        with Running("scx_simple", *ONLY, "vnf.slice") as run:
            run.wait_enabled()
            self.assert_refused(FAILED, ["scx_simple", *ONLY, "vnf.slice"], "at work", str(run.process.pid))
            self.assertEqual([policy(pid) for pid in self.pids], [EXT, EXT])
            self.assertEqual(punctual("unload").returncode, 0)
            self.assertEqual(run.end(), 0, run.lines)
        self.assert_repaired()


if __name__ == "__main__":
    unittest.main(verbosity=2)
