# SPDX-License-Identifier: GPL-2.0-only
"""A load that visits the corners of a scheduler: forks, threads, sleepers, spinners, pipes, changes of cgroup,
affinity, nice and scheduling class, cgroups that come and go. Every worker counts what it did, so that one which
starves is seen. The storm of forks is the program in $FORKS."""
import errno
import mmap
import os
import random
import signal
import struct
import subprocess
import threading
import time

from stress_machine import change_cpuset, churn, online_cpus, remove_churned

BUDGETED = ("tight.slice", "loose.slice", "loose.slice/deep")   # for workers that mostly sleep, as intended
NORMAL = ("plain.slice", "")
WEIGHED = ("tight.slice", "loose.slice", "plain.slice")
FORKS_A_S = 5000


def fork_and_exit():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def thread_and_join():
    threads = [threading.Thread(target=time.sleep, args=(0.0005,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def sleep_briefly(rng):
    time.sleep(rng.choice((0, 0.0001, 0.001, 0.01)))


def spin():
    sum(range(2000))


def visit_another_class(rng):
    policy, priority = rng.choice(((os.SCHED_BATCH, 0), (os.SCHED_IDLE, 0), (os.SCHED_FIFO, 1), (os.SCHED_RR, 1)))
    os.sched_setscheduler(0, policy, os.sched_param(priority))
    spin()
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, 0, rng.randrange(-5, 6))   # wider, and it would starve by right
    # A rest: 6.18 does not get rid of any scheduler while somebody changes class without a pause.
    time.sleep(0.002)


def move(pid, group):
    with open(f"/sys/fs/cgroup/{group}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(pid))


class Ping:
    """Two processes that wake each other through pipes; a turn is one way and back."""

    def __init__(self):
        self.there, self.back = os.pipe(), os.pipe()
        self.child = os.fork()
        if self.child == 0:
            while os.read(self.there[0], 1):
                os.write(self.back[1], b"x")
            os._exit(0)

    def turn(self):
        os.write(self.there[1], b"x")
        os.read(self.back[0], 1)


class Load:
    """Workers from start to stop; `counts` says how far each has come."""

    def __init__(self, seed, storm_nice):
        self.rng = random.Random(seed)
        self.cpus = online_cpus()
        self.pids = []
        self.cpusets = 0
        memory = os.memfd_create("turns")
        os.truncate(memory, mmap.PAGESIZE)
        self.shared = mmap.mmap(memory, mmap.PAGESIZE)
        ping = Ping()
        self.workers = {"ping": ping.turn, "forks": fork_and_exit, "threads": thread_and_join,
                        "classes": lambda: visit_another_class(self.rng),
                        "cgroups": lambda: churn(self.rng, self.counts()["cgroups"])}
        for nr in range(4):
            self.workers[f"sleeper {nr}"] = lambda: sleep_briefly(self.rng)
        for nr in range(len(self.cpus) + 1):
            self.workers[f"spinner {nr}"] = spin
        for slot, (name, turn) in enumerate(self.workers.items()):
            self.pids.append(self._start(name, turn, slot, self.rng.random()))
        # A program: the interpreter is too slow for it.
        storm = [os.environ["FORKS"], str(FORKS_A_S), str(memory), str(len(self.workers))]
        self.workers["storm"] = subprocess.Popen(storm, pass_fds=[memory])
        os.setpriority(os.PRIO_PROCESS, self.workers["storm"].pid, storm_nice)
        self.pids += [self.workers["storm"].pid, ping.child]
        os.close(memory)

    def _start(self, name, turn, slot, seed):
        pid = os.fork()
        if pid:
            return pid
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.rng = random.Random(seed)
        try:
            while True:
                turn()
                struct.pack_into("q", self.shared, slot * 8, self.counts()[name] + 1)
        finally:
            os._exit(1)   # seen by disturb(): a worker never ends by itself

    def counts(self):
        return {name: struct.unpack_from("q", self.shared, slot * 8)[0] for slot, name in enumerate(self.workers)}

    def disturb(self):
        """Moves one worker somewhere else; fails when one has died."""
        pid = self.rng.choice(self.pids)
        if os.waitpid(-1, os.WNOHANG)[0] != 0:
            raise AssertionError("a worker died")
        what = self.rng.randrange(4)
        if what == 0:
            sleeps = pid in self.pids_of("sleeper")
            move(pid, self.rng.choice((*BUDGETED, *NORMAL) if sleeps else NORMAL))
        elif what == 1:
            self._pin(pid)
        elif what == 2:
            change_cpuset(self.rng, self.rng.choice(WEIGHED), self.cpus)
            self.cpusets += 1
        else:
            with open(f"/sys/fs/cgroup/{self.rng.choice(WEIGHED)}/cpu.weight", "w", encoding="ascii") as file:
                file.write(str(self.rng.choice((1, 100, 10000))))

    def _pin(self, pid):
        try:
            os.sched_setaffinity(pid, self.rng.sample(self.cpus, self.rng.randint(1, len(self.cpus))))
        except OSError as error:
            if error.errno != errno.EINVAL:   # all of them are offline, or not in the cpuset of its cgroup
                raise

    def run_away(self, duration_s):
        """A budgeted task that never sleeps: its class may take what it can get, but not the machine."""
        pid = self.pids_of("spinner")[0]
        move(pid, BUDGETED[0])
        time.sleep(duration_s)
        move(pid, NORMAL[0])

    def pids_of(self, kind):
        return [pid for name, pid in zip(self.workers, self.pids) if name.startswith(kind)]

    def stop(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)
        remove_churned()
