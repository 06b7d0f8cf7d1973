# SPDX-License-Identifier: GPL-2.0-only
"""All workloads that Debian's package rt-app brings run in the simulator, and say what is not modelled."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

PUNCTUAL = os.environ["PUNCTUAL"]
EXAMPLES = pathlib.Path(os.environ.get("RTAPP_EXAMPLES", "/usr/share/doc/rt-app"))
CPUS_S = 4          # some examples name CPU 2
NOT_MODELLED = {"example6.json": {"thread0: mem", "thread0: iorun"}, "taskset.json": {"ThreadD: deadline"}}


def simulate(files, *options):
    done = subprocess.run([PUNCTUAL, "sim", "--cpus", str(CPUS_S), "--load", ",".join(map(str, files)), "--policy",
                           "eevdf,scx_latency=60us", "--duration", "2s", "--json", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 0, f"{files}: {done.stderr}"
    return json.loads(done.stdout)


class Examples(unittest.TestCase):
    def test_each_runs_and_does_its_work_under_every_policy(self):
        files = [file for file in sorted(EXAMPLES.rglob("*.json")) if "merge" not in file.parts]
        self.assertGreaterEqual(len(files), 15)
        for file in files:
            with self.subTest(file=file.name):
                result = simulate([file])
                for arm in result["arms"]:
                    self.assertGreater(arm["work_ns"], 0)
                    self.assertEqual(arm["length_ns"] == 2_000_000_000, arm["unfinished"] > 0)
                missing = {what for what in result["not_modelled"] if "SCHED_FIFO" not in what}
                self.assertEqual(missing, NOT_MODELLED.get(file.name, set()))

    def test_one_in_parts_is_put_together(self):
        result = simulate(sorted((EXAMPLES / "examples/merge").glob("*.json")))
        self.assertEqual([task["name"] for task in result["arms"][0]["tasks"]], [f"thread{i}" for i in range(4)])
        self.assertGreater(result["arms"][0]["tasks"][1]["work_ns"], 100_000_000)  # 1 of 10 ms

    def test_periodic_load_does_what_its_file_says(self):
        work_ns = simulate([EXAMPLES / "examples/tutorial/example2.json"])["arms"][0]["work_ns"]
        self.assertAlmostEqual(work_ns / 1e9, 0.2, delta=0.011)  # 10 of 100 ms, for 2 s


if __name__ == "__main__":
    if not (EXAMPLES / "examples").is_dir():
        print("SKIP: no examples of rt-app (scripts/setup tests installs them)")
        sys.exit(77)
    unittest.main()
