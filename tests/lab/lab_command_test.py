# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual lab` promises about commands, streams, files, ways of dying, and time."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import guest
from guest import VIRTUAL, WALL, lab, punctual

# Prints every byte value on both streams, and more than any pipe holds.
NOISE = r"""
import sys, os
data = bytes(range(256)) * 2000
sys.stdout.buffer.write(data)
sys.stderr.buffer.write(data[::-1])
os.makedirs("/out/deep", exist_ok=True)
open("/out/deep/file", "wb").write(data * 20)
os.symlink("file", "/out/deep/link")
os.chmod("/out/deep/file", 0o750)
sys.exit(37)
"""

# What a command can know of time and chance; all of it must repeat.
STAMPS = r"""
import os, time, random, json, zlib
print(time.monotonic_ns(), time.time_ns())
total = sum(zlib.crc32(json.dumps(list(range(n))).encode()) for n in range(200))
print(total, time.monotonic_ns(), random.random(), os.getpid())
for _ in range(20):
    time.sleep(0.001)
    print(time.monotonic_ns())
"""


# The same work on one CPU, then on two at a time.
SIDE_BY_SIDE = r"""
import os, time
def work(cpu):
    os.sched_setaffinity(0, {cpu})
    begin = time.monotonic_ns()
    for n in range(300000):
        pass
    return time.monotonic_ns() - begin
print(work(0), flush=True)
child = os.fork()
took_ns = work(1 if child else 0)
if child:
    os.waitpid(child, 0)
    print(took_ns)
"""


class Commands(unittest.TestCase):
    def test_streams_files_and_status_come_back_whole(self):
        with tempfile.TemporaryDirectory() as out:
            ended = lab("python3", "-c", NOISE, options=(*WALL, "--out", out))
            data = bytes(range(256)) * 2000
            self.assertEqual(ended.status, 37, ended)
            self.assertEqual(ended.out, data)
            self.assertEqual(ended.err, data[::-1])
            self.assertEqual(pathlib.Path(out, "deep/file").read_bytes(), data * 20)
            self.assertEqual(os.readlink(f"{out}/deep/link"), "file")
            self.assertEqual(os.stat(f"{out}/deep/file").st_mode & 0o777, 0o750)

    def test_host_programs_and_files_come_along(self):
        with tempfile.TemporaryDirectory() as work:
            pathlib.Path(work, "tool").write_text("#!/bin/sh\ncat data/word \"$1\"; pwd; echo $WORD; kill -TERM $$\n")
            os.chmod(f"{work}/tool", 0o755)
            os.mkdir(f"{work}/data")
            pathlib.Path(work, "data/word").write_text("relative ")
            pathlib.Path(work, "other").write_text("absolute\n")
            ended = lab("./tool", f"{work}/other", cwd=work,
                        options=(*WALL, "--include", "data", "--include", f"{work}/other", "--env", "WORD=told"))
            self.assertEqual(ended.out, b"relative absolute\n/root\ntold\n", ended)
            self.assertEqual(ended.status, 128 + signal.SIGTERM)

    def test_guest_is_a_usable_system(self):
        ended = lab("sh", "-c", "cat /sys/fs/cgroup/cgroup.controllers /sys/kernel/sched_ext/state; ping -c1 -q localhost"
                    " >/dev/null && echo up; ls /sys/kernel/tracing/events/sched | grep -c '^sched_switch$';"
                    " punctual --version; hostname; nproc; python3 -c 'import ctypes, zlib, json, asyncio'; echo $?",
                    options=(*WALL, "--cpus", "2"))
        lines = ended.out.decode().splitlines()
        self.assertLessEqual({"cpu", "cpuset", "memory", "pids"}, set(lines[0].split()), ended)
        self.assertEqual(lines[1:4], ["disabled", "up", "1"])
        self.assertTrue(lines[4].startswith("punctual "))
        self.assertEqual(lines[5:], ["lab", "2", "0"])

    def test_command_that_does_not_exist_is_reported_like_a_shell_does(self):
        ended = lab("sh", "-c", "exec /no/such/program", options=WALL)
        self.assertEqual(ended.status, 127, ended)


def cache_directory():
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PUNCTUAL_CACHE") or f"{user}/punctual/lab")


class Time(unittest.TestCase):
    def test_virtual_time_repeats_to_the_nanosecond(self):
        lab("true", options=VIRTUAL)   # makes the snapshot, and skips the test where there is no lab
        with tempfile.TemporaryDirectory() as fresh:
            for file in cache_directory().glob("vmlinux-*"):
                os.symlink(file, pathlib.Path(fresh, file.name))
            pathlib.Path(fresh, "snapshots").touch()   # in the way: this run has to boot
            environments = ({}, {}, {"PUNCTUAL_CACHE": fresh})
            # At the same time on purpose: they slow each other down, and must not notice.
            with concurrent.futures.ThreadPoolExecutor() as pool:
                first, second, booted = pool.map(
                    lambda env: lab("python3", "-c", STAMPS, options=VIRTUAL, env=env), environments)
        self.assertEqual(first.status, 0, first)
        self.assertEqual(len(first.out.splitlines()), 22)
        self.assertEqual(first.out, second.out)
        self.assertEqual(first.out, booted.out)   # going on from a snapshot must not show

    def test_cpus_in_virtual_time_run_side_by_side(self):
        ended = lab("python3", "-c", SIDE_BY_SIDE, options=("--cpus", "2", *VIRTUAL))
        self.assertEqual(ended.status, 0, ended)
        alone_ns, both_ns = map(int, ended.out.split())
        self.assertLess(both_ns, 1.2 * alone_ns)   # by turns it would be twice as long


class Dying(unittest.TestCase):
    def test_panic_is_called_a_panic_and_shows_the_console(self):
        with tempfile.TemporaryDirectory() as work:
            ended = lab("sh", "-c", "echo before; echo c > /proc/sysrq-trigger",
                        options=(*WALL, "--console", f"{work}/console"))
            self.assertEqual(ended.status, 1, ended)
            self.assertEqual(ended.out, b"before\n")
            self.assertIn(b"panicked", ended.err)
            self.assertIn(b"sysrq triggered crash", ended.err)
            self.assertIn("sysrq triggered crash", pathlib.Path(work, "console").read_text(errors="replace"))

    def test_timeout_is_called_a_timeout(self):
        ended = lab("sh", "-c", "echo before; sleep 1000", options=(*WALL, "--timeout", "3s"))
        self.assertEqual(ended.status, guest.TIMEOUT, ended)
        self.assertEqual(ended.out, b"before\n")
        self.assertIn(b"3s", ended.err)

    def test_hang_is_called_a_hang(self):
        # The only CPU spins above everything else, so that even the first process cannot answer.
        ended = lab("chrt", "-f", "99", "sh", "-c", "echo -1 > /proc/sys/kernel/sched_rt_runtime_us; while :; do :; done",
                    options=(*WALL, "--timeout", "2s"))
        self.assertEqual(ended.status, 1, ended)
        self.assertIn(b"hangs", ended.err)

    def test_want_of_memory_is_called_that(self):
        ended = lab("python3", "-c", "kept = []\nwhile True: kept.append(bytearray(1 << 20))", options=(*WALL, "--memory", "256M"))
        self.assertEqual(ended.status, 128 + signal.SIGKILL, ended)
        self.assertIn(b"needs more memory (--memory): Out of memory: Killed process", ended.err)

    def test_power_off_inside_is_not_success(self):
        ended = lab("poweroff", "-f", options=WALL)
        self.assertEqual(ended.status, 1, ended)
        self.assertIn(b"went down", ended.err)

    def test_interrupt_leaves_nothing_behind(self):
        with subprocess.Popen([guest.PUNCTUAL, "lab", *WALL, "--", "sh", "-c", "echo up; sleep 1000"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
            line = process.stdout.readline()
            if not line and process.wait() == guest.LACKING:
                self.skipTest(process.stderr.read().decode().strip())
            self.assertEqual(line, b"up\n")
            process.send_signal(signal.SIGINT)   # only to us: QEMU must not depend on the terminal's help
            self.assertEqual(process.wait(20), guest.INTERRUPTED)
            time.sleep(0.2)
            with self.assertRaises(ProcessLookupError):
                os.killpg(process.pid, 0)


class Kernels(unittest.TestCase):
    def test_every_series_boots(self):
        for series in ("6.1", "6.16", "6.17", "6.18", "6.19", "7.0", "7.3"):
            with self.subTest(series):
                ended = lab("uname", "-r", options=(*WALL, "--kernel", series))
                self.assertEqual(ended.status, 0, ended)
                self.assertTrue(ended.out.decode().startswith(series + "."), ended.out)


class Refusals(unittest.TestCase):
    OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

    def test_mistakes_are_usage_errors_of_one_line(self):
        for arguments in (["--kernel", "7.2", "--", "true"], ["--cpus", "0", "--", "true"], ["--memory", "1", "--", "true"],
                          ["--time", "slow", "--", "true"], ["--include", "/no/such", "--", "true"],
                          ["--settle", "later", "--", "true"], ["--", "no-such-program-here"], []):
            ended = punctual("lab", *arguments)
            self.assertEqual(ended.status, 2, (arguments, str(ended)))
            self.assertEqual(ended.err.count(b"\n"), 1, (arguments, str(ended)))

    def test_a_qemu_whose_inside_is_not_known_runs_one_cpu_in_virtual_time_but_not_two(self):
        qemu = shutil.which("qemu-system-x86_64")
        if not qemu:
            self.skipTest("no QEMU")
        code = pathlib.Path(qemu).read_bytes()
        # How the plugin knows icount_process_data; one instruction is another here.
        changed, times = re.subn(
            rb"(\x53\x48\x89\xfb\xe8....\x31\xc0\x66\x0f\xef)\xc0(\x66\x89\x83)",
            lambda found: found[1] + b"\xc1" + found[2], code, flags=re.DOTALL)
        self.assertEqual(times, 1)
        with tempfile.TemporaryDirectory() as other:
            file = pathlib.Path(other, "qemu-system-x86_64")
            file.write_bytes(changed)
            file.chmod(0o755)
            path = {"PATH": f"{other}:{os.environ['PATH']}"}
            ended = punctual("lab", "--cpus", "2", "--", "true", env=path)
        self.assertEqual(ended.status, guest.LACKING, ended)
        self.assertIn(b"--cpus 1 or --time wall", ended.err)
        self.assertIn(b"not known", ended.err)

    def test_without_network_the_remedy_is_named(self):
        with tempfile.TemporaryDirectory() as cache:
            ended = punctual("lab", "--", "true", env={"PUNCTUAL_CACHE": cache, **self.OFFLINE})
            self.assertEqual(ended.status, guest.LACKING, ended)
            self.assertEqual(ended.err.count(b"\n"), 1, ended)
            self.assertIn(b"network", ended.err)

    def test_damaged_kernel_in_the_cache_is_not_used(self):
        with tempfile.TemporaryDirectory() as cache:
            pathlib.Path(cache, "vmlinux-6.18.15").write_bytes(b"\x7fELF, or what is left of it")
            pathlib.Path(cache, "vmlinux-6.18.15.sha256").write_text("0" * 64 + "\n")
            ended = punctual("lab", "--", "true", env={"PUNCTUAL_CACHE": cache, **self.OFFLINE})
            self.assertEqual(ended.status, guest.LACKING, ended)


if __name__ == "__main__":
    unittest.main()
