# SPDX-License-Identifier: GPL-2.0-only
"""What changes around the workers of stress_load.py: CPUs come and go, cgroups get other CPUs, cgroups come and go."""
import errno
import glob
import os
import random
import signal
import time

MOUNT = "/sys/fs/cgroup/"
CHURNED = "churned-{}.slice"
ATTRIBUTE = "user.latency_ns"


def online_cpus():
    """Those that tasks may run on now, whatever this process was told."""
    with open("/sys/devices/system/cpu/online", encoding="ascii") as file:
        ends = [part.split("-") for part in file.read().strip().split(",")]
    return [cpu for end in ends for cpu in range(int(end[0]), int(end[-1]) + 1)]


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def toggle_cpu(rng, cpus):
    """Takes a CPU away, or gives the missing one back. The first one always stays."""
    gone = set(cpus) - set(online_cpus())
    cpu, state = (gone.pop(), "1") if gone else (rng.choice(cpus[1:]), "0")
    write(f"/sys/devices/system/cpu/cpu{cpu}/online", state)


def change_cpuset(rng, group, cpus):
    """Its tasks may use some of the CPUs, those that are offline too: then the kernel gives them what its parent has."""
    write(f"{MOUNT}{group}/cpuset.cpus", ",".join(map(str, rng.sample(cpus, rng.randint(1, len(cpus))))))


def remove_cgroup(path):
    """Once its last process is gone, which the kernel tells late; those that stay are a failure of the caller."""
    for _ in range(1000):
        try:
            return os.rmdir(path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        time.sleep(0.002)
    raise AssertionError(f"{path} is not empty")


def churn(rng, nr):
    """One life of a cgroup: made, populated, given a budget every other time, moved out of or died in, removed."""
    path = MOUNT + CHURNED.format(nr)
    os.mkdir(path)
    if rng.randrange(2):
        os.setxattr(path, ATTRIBUTE, str(rng.choice((50_000, 1_000_000))).encode())
    children = [start_sleeper(path) for _ in range(3)]
    time.sleep(rng.choice((0, 0.001, 0.02, 0.2)))
    if rng.randrange(2):
        write(f"{MOUNT}cgroup.procs", str(children[0]))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    remove_cgroup(path)


def remove_churned():
    """What churn() leaves when it is killed."""
    for path in glob.glob(MOUNT + CHURNED.format("*")):
        write(f"{path}/cgroup.kill", "1")
        remove_cgroup(path)


def start_sleeper(path):
    pid = os.fork()
    if pid:
        return pid
    try:
        write(f"{path}/cgroup.procs", "0")
        while os.getppid() != 1:   # it dies with its parent
            time.sleep(0.0005)
    finally:
        os._exit(0)
