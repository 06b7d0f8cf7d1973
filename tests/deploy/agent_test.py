# SPDX-License-Identifier: GPL-2.0-only
"""The node agent: which cgroup is whose, and budgets that come and go with annotations."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import pods
from expressions import ROOT

AGENT = ROOT / "deploy/kubernetes/agent"
sys.path.insert(0, str(AGENT))
import pod_budgets  # noqa: E402  pylint: disable=wrong-import-position

QUALITY = {pods.GUARANTEED: "Guaranteed", pods.BURSTABLE: "Burstable", pods.BEST_EFFORT: "BestEffort"}
MIRROR = {"kubernetes.io/config.hash": pods.STATIC, "kubernetes.io/config.mirror": pods.STATIC}


class Mapping(unittest.TestCase):
    def test_every_class_of_pods_is_found_in_every_layout(self):
        for (driver, root), layout in pods.LAYOUTS.items():
            for uid, quality in QUALITY.items():
                self.assertEqual(pod_budgets.pod_cgroup(pods.pod(uid, quality), driver, root), layout[uid])

    def test_a_pod_of_the_kubelets_folder_has_the_name_that_its_mirror_tells(self):
        pod = pods.pod("99999999-aaaa-4bbb-8ccc-000000000009", "Burstable", **MIRROR)
        for (driver, root), layout in pods.LAYOUTS.items():
            self.assertEqual(pod_budgets.pod_cgroup(pod, driver, root), layout[pods.STATIC])

    def test_a_uid_cannot_lead_out_of_the_kubelets_cgroup(self):
        for uid in ("../../system.slice", "", "x" * 36, pods.GUARANTEED + "/..", pods.GUARANTEED.upper()):
            with self.assertRaises(ValueError):
                pod_budgets.pod_cgroup(pods.pod(uid, "Burstable"), "cgroupfs")
        # An annotation that anybody may set does not rename a pod that is no mirror into another one.
        forged = pods.pod(pods.BURSTABLE, "Burstable", **{"kubernetes.io/config.hash": pods.STATIC})
        self.assertEqual(pod_budgets.pod_uid(forged), pods.BURSTABLE)

    def test_the_driver_is_seen_by_what_is_there(self):
        for driver, root in pods.LAYOUTS:
            with tempfile.TemporaryDirectory() as mount:
                self.assertIsNone(pod_budgets.find_driver(lambda path, mount=mount: os.path.isdir(f"{mount}/{path}"), root))
                pods.make(pathlib.Path(mount), (driver, root))
                self.assertEqual(pod_budgets.find_driver(lambda path, mount=mount: os.path.isdir(f"{mount}/{path}"), root), driver)


class Plan(unittest.TestCase):
    def test_durations_are_those_of_the_program(self):
        for text, ns in (("60us", 60_000), ("1.5ms", 1_500_000), ("1s", 10**9), ("1us", 1_000), ("2500ns", 2_500)):
            self.assertEqual(pod_budgets.budget_ns(text), ns)
        for text in ("60", "", "us", "-1us", "999ns", "1.1s", "60 us", "1e3us", "99999999999999us", "60us;"):
            with self.assertRaises(ValueError, msg=text):
                pod_budgets.budget_ns(text)

    def test_limits_are_those_of_the_kernel_side(self):
        source = (ROOT / "abi/sched.h").read_text()
        self.assertEqual(int(re.search(r"CLASSES_MAX = (\d+);", source)[1]), pod_budgets.CLASSES_MAX)
        self.assertIn("BUDGET_NS_MIN = 1000ULL;", source)
        self.assertIn("BUDGET_NS_MAX = 1000ULL * 1000 * 1000;", source)

    def test_only_those_that_ask_and_live_have_one(self):
        over = pods.pod(pods.GUARANTEED, "Guaranteed", "60us")
        over["status"]["phase"] = "Succeeded"
        budgets, complaints = pod_budgets.plan([over, pods.pod(pods.BURSTABLE, "Burstable", "1ms"), pods.pod(pods.BEST_EFFORT, "BestEffort")],
                                               "cgroupfs")
        self.assertEqual((budgets, complaints), ({f"kubepods/burstable/pod{pods.BURSTABLE}": 1_000_000}, []))

    def test_who_came_first_keeps_its_budget_when_there_are_too_many(self):
        crowd = [pods.pod(f"{at:08d}-aaaa-4bbb-8ccc-000000000000", "Burstable", "60us", name=f"p{at}", created=f"2026-01-01T00:00:{59 - at}Z")
                 for at in range(18)]
        budgets, complaints = pod_budgets.plan(crowd, "cgroupfs")
        self.assertEqual(len(budgets), 16)
        self.assertNotIn("kubepods/burstable/pod00000000-aaaa-4bbb-8ccc-000000000000", budgets)   # the youngest
        self.assertEqual([text.split(":")[0] for text in complaints], ["pod default/p1", "pod default/p0"])

    def test_a_bad_annotation_costs_its_pod_alone(self):
        budgets, complaints = pod_budgets.plan([pods.pod(pods.BURSTABLE, "Burstable", "fast", name="bad"),
                                                pods.pod(pods.GUARANTEED, "Guaranteed", "60us"),
                                                {"metadata": {"annotations": {"punctual/latency-budget": "1ms"}}}], "systemd")
        self.assertEqual(list(budgets.values()), [60_000])
        self.assertEqual(len(complaints), 2)
        self.assertTrue(any("pod default/bad: 'fast' is no duration" in text for text in complaints), complaints)

    def test_the_operator_says_which_namespaces_and_how_short(self):
        asking = [pods.pod(pods.BURSTABLE, "Burstable", "60us", namespace="voice"), pods.pod(pods.GUARANTEED, "Guaranteed", "60us")]
        budgets, complaints = pod_budgets.plan(asking, "cgroupfs", namespaces=["voice"])
        self.assertEqual((list(budgets), len(complaints)), ([f"kubepods/burstable/pod{pods.BURSTABLE}"], 1))
        self.assertEqual(pod_budgets.plan(asking, "cgroupfs", least_ns=100_000)[0], {})


def attributes_work():
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        try:
            os.setxattr(folder, "user.latency_ns", b"1")
            return True
        except OSError:
            return False


@unittest.skipUnless(attributes_work(), "this file system has no attributes of users")
class Running(unittest.TestCase):
    """The program itself, with folders in the place of cgroups and a server in that of the API server."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=ROOT / "build" if (ROOT / "build").is_dir() else ROOT)
        self.addCleanup(folder.cleanup)
        self.mount = pathlib.Path(folder.name)
        self.layout = pods.LAYOUTS[("systemd", "/")]
        pods.make(self.mount, ("systemd", "/"))
        self.log = self.mount / "log"

    def start(self, server, *words):
        with open(self.log, "w", encoding="utf-8") as log:
            process = subprocess.Popen([sys.executable, "-B", AGENT / "agent.py", "--server", server.url, "--node", "n1", "--cgroups", self.mount,
                                        "--alive-file", self.mount / "alive", *words], stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(server.close)
        return process

    def budget(self, uid):
        try:
            return int(os.getxattr(self.mount / self.layout[uid], "user.latency_ns"))
        except OSError:
            return None

    def until(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.log.read_text())
            time.sleep(0.05)

    def test_budgets_come_change_and_go_with_annotations(self):
        # Left by an agent that ended before its pod lost the annotation.
        os.setxattr(self.mount / self.layout[pods.BEST_EFFORT], "user.latency_ns", b"5000")
        server = pods.Server([pods.pod(pods.GUARANTEED, "Guaranteed", "60us"), pods.pod(pods.BURSTABLE, "Burstable"),
                              pods.pod(pods.BEST_EFFORT, "BestEffort")])
        process = self.start(server)
        self.until(lambda: self.budget(pods.GUARANTEED) == 60_000)
        self.until(lambda: self.budget(pods.BEST_EFFORT) is None)
        self.assertIsNone(self.budget(pods.BURSTABLE))

        server.events.put({"type": "MODIFIED", "object": pods.pod(pods.BURSTABLE, "Burstable", "2ms")})
        self.until(lambda: self.budget(pods.BURSTABLE) == 2_000_000)
        server.events.put({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "77"}}})
        server.events.put({"type": "MODIFIED", "object": pods.pod(pods.BURSTABLE, "Burstable")})
        self.until(lambda: self.budget(pods.BURSTABLE) is None)
        server.events.put({"type": "DELETED", "object": pods.pod(pods.GUARANTEED, "Guaranteed", "60us")})
        self.until(lambda: self.budget(pods.GUARANTEED) is None)

        # It asks for this node alone, page by page, and says that it is alive.
        self.assertEqual({query["fieldSelector"] for query in server.asked}, {"spec.nodeName=n1"})
        self.assertEqual(server.asked[1].get("continue"), "2")
        self.assertTrue((self.mount / "alive").exists())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 0)

    def test_an_end_leaves_budgets_as_they_are_and_a_server_that_says_no_does_too(self):
        server = pods.Server([pods.pod(pods.GUARANTEED, "Guaranteed", "60us")])
        self.start(server)
        self.until(lambda: self.budget(pods.GUARANTEED) == 60_000)
        server.denied = True
        server.events.put(None)   # ends the watch
        self.until(lambda: "403" in self.log.read_text())
        self.assertEqual(self.budget(pods.GUARANTEED), 60_000)

    def test_a_pod_without_a_cgroup_yet_gets_its_budget_with_the_next_event(self):
        late = self.mount / self.layout[pods.BURSTABLE]
        (late / pods.CONTAINER["systemd"]).rmdir()
        late.rmdir()
        server = pods.Server([pods.pod(pods.BURSTABLE, "Burstable", "2ms")])
        self.start(server)
        self.until((self.mount / "alive").exists)
        late.mkdir()
        server.events.put({"type": "MODIFIED", "object": pods.pod(pods.BURSTABLE, "Burstable", "2ms")})
        self.until(lambda: self.budget(pods.BURSTABLE) == 2_000_000)

    def test_alive_is_an_answer_by_exit_status(self):
        def alive():
            return subprocess.run([sys.executable, "-B", AGENT / "agent.py", "--alive", "--alive-file", self.mount / "alive"], check=False).returncode
        self.assertEqual(alive(), 1)
        (self.mount / "alive").touch()
        self.assertEqual(alive(), 0)
        os.utime(self.mount / "alive", (time.time() - 1000,) * 2)
        self.assertEqual(alive(), 1)


if __name__ == "__main__":
    unittest.main()
