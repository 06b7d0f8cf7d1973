# SPDX-License-Identifier: GPL-2.0-only
"""record, report and compare on the kernel that runs here. Needs root and a kernel with BTF.

  PUNCTUAL=build/punctual python3 tests/runq/record_test.py
"""
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

from load import PAIR

PUNCTUAL = os.environ.get("PUNCTUAL", "punctual")
USAGE, INVALID, REGRESSION, INCONCLUSIVE = 2, 4, 10, 11
SECONDS_MAX = 300   # emulated machines are slow
LOST_MAX = 0.001    # of the events: above, there is no verdict
TRIES = 3
WARNING = "more than 0.1 % of the events were lost"


def punctual(*arguments):
    return subprocess.run([PUNCTUAL, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=SECONDS_MAX)


def with_losses(recording, nr):
    """The recording with one more window, in which nothing happened but that `nr` events were lost (docs/recordings.md)."""
    end, at = 0, 12
    while at < len(recording):   # up to the frame of the end
        end, at = at, at + 4 + struct.unpack_from("<I", recording, at)[0] + 4
    number = bytearray()
    while nr > 127:
        number.append(nr & 127 | 128)
        nr >>= 7
    number.append(nr)
    payload = b"\x02\x01" + bytes(4) + number + bytes(6) + bytes(4)
    # A frame of zstd: size of the content in one byte, one raw block, the last one.
    stored = b"\x28\xb5\x2f\xfd\x20" + bytes([len(payload)]) + struct.pack("<I", 1 | len(payload) << 3)[:3] + payload
    frame = struct.pack("<I", len(stored)) + stored
    return recording[:end] + frame + struct.pack("<I", zlib.crc32(frame)) + recording[end:]


@unittest.skipUnless(os.geteuid() == 0, "counting waits needs root")
@unittest.skipUnless(os.path.exists("/sys/kernel/btf/vmlinux"), "this kernel has no BTF")
class Record(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.addClassCleanup(cls.folder.cleanup)
        cls.whole = cls.path / "whole"
        # Virtual machines hide a few switches in each second, and each may lose a wait: of many waits that is a small part.
        load = subprocess.Popen([sys.executable, "-c", PAIR, str(min(os.sched_getaffinity(0)))], start_new_session=True)
        cls.addClassCleanup(load.wait)
        cls.addClassCleanup(os.killpg, load.pid, signal.SIGKILL)
        for _ in range(TRIES):
            cls.recorded = punctual("record", "--force", "-o", cls.whole, "-d", "3s")
            if WARNING not in cls.recorded.stderr:
                break

    def compared(self, *arguments):
        """How it ended, and its document. Where too much was lost there is none, and it has to say how much."""
        run = punctual("compare", *arguments, "--json")
        if run.returncode == INVALID:
            told = re.search(r": (\d+) of (\d+) events were lost, more than 0.1 %: no verdict", run.stderr)
            self.assertTrue(told, run)
            lost, events = map(int, told.groups())
            self.assertGreater(lost, LOST_MAX * events)
            self.assertEqual(run.stdout, "")
            self.skipTest(f"this machine hides its switches: {run.stderr}")
        return run, json.loads(run.stdout) if run.stdout else None

    def test_recording_is_summed_up_in_one_line(self):
        self.assertEqual(self.recorded.returncode, 0, self.recorded)
        self.assertEqual(self.recorded.stdout, "")
        told = re.fullmatch(r"punctual: \S+: [\d.]+ s in \d+ windows, ([\d,]+) waits, ([\d,]+) lost, [\d.]+ KiB\n(.*)",
                            self.recorded.stderr, re.DOTALL)
        self.assertTrue(told, self.recorded)
        waits, lost = (int(count.replace(",", "")) for count in told.groups()[:2])
        has_verdict = lost <= LOST_MAX * (waits + lost)
        self.assertEqual(told[3], "" if has_verdict else f"punctual: {WARNING}: `compare` will give no verdict\n")

    def test_too_many_losses_are_told_and_get_no_verdict(self):
        lossy, page = self.path / "lossy", self.path / "lossy.html"
        lossy.write_bytes(with_losses(self.whole.read_bytes(), 10**8))
        for pair in ((lossy, self.whole), (self.whole, lossy)):
            run = punctual("compare", *pair, "--json")
            self.assertEqual((run.returncode, run.stdout), (INVALID, ""), run)
            self.assertIn("events were lost", run.stderr)
        run = punctual("report", lossy, "-o", page)
        self.assertEqual(run.returncode, 0, run)
        self.assertTrue("events were lost, so its figures prove nothing" in page.read_text())

    def test_existing_file_is_refused_unless_forced(self):
        refused = punctual("record", "-o", self.whole, "-d", "1s")
        self.assertEqual(refused.returncode, USAGE, refused)
        self.assertIn("--force", refused.stderr)
        copy = self.path / "forced"
        copy.write_bytes(b"something else")
        self.assertEqual(punctual("record", "--force", "-o", copy, "-d", "1s").returncode, 0)
        self.assertTrue(copy.read_bytes().startswith(b"PUNCTREC"))

    def test_cut_file_is_read_to_its_last_whole_frame(self):
        cut = self.path / "cut"
        cut.write_bytes(self.whole.read_bytes()[:self.whole.stat().st_size // 2])
        page = self.path / "cut.html"
        run = punctual("report", cut, "-o", page)
        self.assertEqual(run.returncode, 0, run)
        self.assertIn("was cut", run.stderr)
        _, result = self.compared(cut, self.whole)
        self.assertTrue("it was cut" in page.read_text())   # losses would be told instead
        self.assertTrue(result["a"]["was_cut"])
        self.assertFalse(result["b"]["was_cut"])
        self.assertLess(result["a"]["samples"], result["b"]["samples"])

    def test_page_needs_nothing_else(self):
        page = self.path / "page.html"
        run = punctual("report", self.whole, self.whole, "-o", page)
        self.assertEqual(run.returncode, 0, run)
        text = page.read_text()
        self.assertEqual([word for word in ("<script", "http:", "https:", "<link", "<img") if word in text], [])
        self.assertEqual(text.count("<svg"), 7)   # percentiles together; over time and twice by CPU for each

    def test_three_seconds_are_too_short_for_a_verdict(self):
        run, result = self.compared(self.whole, self.whole)
        self.assertEqual(run.returncode, INCONCLUSIVE, run)
        self.assertEqual(result["verdict"], "inconclusive")
        self.assertIn("too short", result["reason"])
        self.assertEqual(result["quantiles"][2]["quantile"], 0.99)
        self.assertEqual(result["quantiles"][2]["ratio"], 1)

    def test_unknown_cgroup_is_named_with_those_there_are(self):
        run = punctual("compare", self.whole, self.whole, "--cgroup", "no-such.slice")
        self.assertEqual(run.returncode, USAGE, run)
        self.assertIn("no cgroup no-such.slice", run.stderr)

    def test_what_is_no_recording_is_refused(self):
        for name, content in (("text", b"hello"), ("empty", b""), ("header", self.whole.read_bytes()[:12])):
            bad = self.path / name
            bad.write_bytes(content)
            for run in (punctual("compare", bad, self.whole), punctual("report", bad, "-o", self.path / "none.html")):
                self.assertEqual(run.returncode, USAGE, run)
                self.assertIn(str(bad), run.stderr)

    def test_interrupt_leaves_a_whole_file(self):
        out = self.path / "interrupted"
        with subprocess.Popen([PUNCTUAL, "record", "-o", out, "-d", "1h"], stderr=subprocess.PIPE, text=True) as recording:
            deadline = time.monotonic() + 60
            while (not out.exists() or out.stat().st_size < 500) and time.monotonic() < deadline:
                time.sleep(0.1)
            recording.send_signal(signal.SIGINT)
            _, told = recording.communicate(timeout=60)
        self.assertEqual(recording.returncode, 0, told)
        run, result = self.compared(out, self.whole)
        self.assertFalse(result["a"]["was_cut"], run)

    def test_kill_leaves_what_was_written(self):
        out = self.path / "killed"
        with subprocess.Popen([PUNCTUAL, "record", "-o", out, "-d", "1h"]) as recording:
            deadline = time.monotonic() + 60
            while (not out.exists() or out.stat().st_size < 1500) and time.monotonic() < deadline:
                time.sleep(0.1)
            recording.kill()
        run = punctual("report", out, "-o", self.path / "killed.html")
        self.assertEqual(run.returncode, 0, run)
        self.assertIn("was cut", run.stderr)

    def test_lives_as_long_as_its_command_and_gives_its_status(self):
        out = self.path / "command"
        run = punctual("record", "-o", out, "--", "sh", "-c", "sleep 1; exit 7")
        self.assertEqual(run.returncode, 7, run)
        _, result = self.compared(out, out)
        self.assertGreater(result["a"]["duration_ns"], 900_000_000)
        self.assertGreater(result["a"]["samples"], 0)

    def test_full_disk_is_told_and_keeps_whole_frames(self):
        run = punctual("record", "--force", "-o", "/dev/full", "-d", "1s")
        self.assertEqual(run.returncode, 1, run)
        self.assertIn("cannot write /dev/full", run.stderr)
        self.assertIn("free space", run.stderr)


if __name__ == "__main__":
    unittest.main()
