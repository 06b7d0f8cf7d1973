# SPDX-License-Identifier: GPL-2.0-only
"""The Ansible roll-out over machines that are folders: a regression is reverted, a healthy one goes to the end, a second run
changes nothing. Ansible, the gate and its HTTP are real; systemctl, date, sleep and `punctual guard --check` are stand-ins, and
Prometheus answers from the state of the folders. What is not tested here: apt, ssh, and a real scheduler.
"""
import contextlib
import http.server
import json
import math
import os
import pathlib
import random
import re
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

import yaml

import expressions

FOLDER = expressions.ROOT / "deploy/ansible"
HOSTS = ["one", "two"]
HOLDBACK = ["back"]
# The machines live in the past, so that a soak is over at once.
PAST_SECONDS = 3000
SOAK_SECONDS = 600
TOOLS = {
    "date": f'#!/bin/bash\necho $(($(/bin/date +%s) - {PAST_SECONDS}))\n',
    "sleep": '#!/bin/bash\necho "$1" >>"$LOG/sleep"\n',
    # A unit is active while there is a file with the time of its start in it.
    "systemctl": f"""#!/bin/bash
state=$ROOT/state
for word; do [[ $word == -* ]] || words+=("$word"); done
unit=${{words[1]:-}}
case ${{words[0]}} in
daemon-reload) ;;
show) printf 'Id=%s\\nLoadState=loaded\\nActiveState=%s\\n' "$unit" "$([[ -e $state/$unit ]] && echo active || echo inactive)" ;;
is-active) [[ -e $state/$unit ]] ;;
is-enabled) [[ -e $state/$unit.enabled ]] && echo enabled || {{ echo disabled; exit 1; }} ;;
enable) touch "$state/$unit.enabled" ;;
disable) rm -f "$state/$unit.enabled" ;;
start) [[ ! -e $state/cannot-load || $unit != punctual.service ]] || exit 1
	echo $(($(/bin/date +%s) - {PAST_SECONDS})) >"$state/$unit" ;;
reload | restart) echo $(($(/bin/date +%s) - {PAST_SECONDS})) >"$state/$unit"; echo "${{words[0]}} $unit" >>"$state/log" ;;
stop) rm -f "$state/$unit" ;;
*) echo "systemctl: ${{words[0]}}?" >&2; exit 1 ;;
esac
""",
    "punctual": '#!/bin/bash\n[[ "$1 $2 $3" == "guard --check --config" ]] && /usr/bin/python3 -c '
                '"import sys, tomllib; tomllib.load(open(sys.argv[1], \'rb\'))" "$4"\n',
}


class Fleet:
    """Folders, an inventory, and a Prometheus. `ratio`: how much longer waits get where the scheduler is loaded."""

    def __init__(self, folder, ratio=1.0):
        self.folder = pathlib.Path(folder)
        self.ratio = ratio
        (self.folder / "bin").mkdir()
        for name, text in TOOLS.items():
            (self.folder / "bin" / name).write_text(text)
            (self.folder / "bin" / name).chmod(0o755)
        for host in HOSTS + HOLDBACK:
            (self.folder / host / "state").mkdir(parents=True)
            (self.folder / host / "etc/systemd/system").mkdir(parents=True)
            (self.folder / host / "etc/punctual").mkdir()   # as the package leaves it
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.write_inventory()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def loaded_at(self, host):
        with contextlib.suppress(OSError):
            return float((self.folder / host / "state/punctual.service").read_text() or 0)
        return None

    def treated(self):
        return [host for host in HOSTS + HOLDBACK if self.loaded_at(host) is not None]

    def value(self, host, when):
        since = self.loaded_at(host)
        bad = since is not None and when >= since
        return 1e-4 * math.exp(random.Random(f"{host} {when}").gauss(0, 0.05)) * (self.ratio if bad else 1)

    def rows(self, query, fields):
        """What Prometheus would answer to the questions of the gate: no faults, and a p99."""
        for host in HOSTS + HOLDBACK if query.startswith("histogram_quantile") else []:
            moments = [float(fields["time"])] if "time" in fields else []
            if not moments:
                start, end, step = (float(fields[name]) for name in ("start", "end", "step"))
                moments = [start + at * step for at in range(int((end - start) / step) + 1)]
            values = [[moment, str(self.value(host, moment))] for moment in moments]
            yield {"metric": {"instance": f"{host}:9766"}, **({"value": values[0]} if "time" in fields else {"values": values})}

    def handler(self):
        fleet = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                answer = {"status": "success", "data": {"result": list(fleet.rows(fields["query"], fields))}}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass
        return Handler

    def write_inventory(self):
        def hosts(names):
            return {"hosts": {name: {"punctual_root": str(self.folder / name), "punctual_environment": {
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "ROOT": str(self.folder / name), "LOG": str(self.folder)}}
                for name in names}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump({
            "punctual": hosts(HOSTS), "punctual_holdback": hosts(HOLDBACK),
            "all": {"vars": {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}}}))

    def play(self, playbook="rollout.yml", tags="measure,rollout,unload", **variables):
        variables = {"punctual_become": False, "punctual_package": "none", "punctual_stages": [1, "100%"], "punctual_measure_serial": "100%",
                     "punctual_prometheus": f"http://127.0.0.1:{self.server.server_port}", "punctual_budgets": {"vnf.slice": "60us"},
                     "punctual_stagger_seconds": 30, "punctual_settle_seconds": 60, "punctual_soak_seconds": SOAK_SECONDS,
                     "punctual_targets_file": str(self.folder / "targets.json"), **variables}
        return subprocess.run(["ansible-playbook", "-i", str(self.folder / "inventory.yml"), "-e", json.dumps(variables), "--tags", tags, playbook],
                              cwd=FOLDER, capture_output=True, text=True, check=False, timeout=1500, stdin=subprocess.DEVNULL,
                              env={**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "4", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8",
                                   "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"), "ANSIBLE_REMOTE_TEMP": str(self.folder / "tmp")})

    def slept(self):
        return sorted(float(line) for line in (self.folder / "sleep").read_text().split())

    def config(self, host):
        with contextlib.suppress(OSError):
            return (self.folder / host / "etc/punctual/punctual.toml").read_text()
        return None

    def targets(self):
        return {group["labels"]["rollout"]: group["targets"] for group in json.loads((self.folder / "targets.json").read_text())}


def changed(run):
    """Host -> how many tasks changed something."""
    return {host: int(number) for host, number in re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", run.stdout, re.MULTILINE)}


class Rollout(unittest.TestCase):
    maxDiff = None

    def fleet(self, ratio=1.0):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        fleet = Fleet(folder.name, ratio)
        self.addCleanup(fleet.close)
        return fleet

    def test_a_healthy_one_goes_to_the_end_once_and_a_worse_change_of_it_is_taken_back(self):
        fleet = self.fleet()
        run = fleet.play()
        self.assertEqual(run.returncode, 0, run.stdout[-3000:] + run.stderr)
        self.assertEqual(fleet.treated(), HOSTS)
        self.assertIn('"vnf.slice" = "60us"', fleet.config("two"))
        self.assertTrue((fleet.folder / "back/state/punctual-serve.socket").exists())
        self.assertEqual(fleet.targets(), {"treated": ["one:9766", "two:9766"], "control": ["back:9766"]})
        self.assertEqual(fleet.slept().count(SOAK_SECONDS + 62), 2)

        run = fleet.play()
        self.assertEqual((run.returncode, changed(run)), (0, {host: 0 for host in HOSTS + HOLDBACK}), run.stdout[-3000:])
        self.assertEqual(fleet.slept().count(SOAK_SECONDS + 62), 2)   # nothing to judge

        # From now on the waits of whoever is loaded anew are longer.
        fleet.ratio = 3.0
        before = fleet.config("one")
        run = fleet.play(tags="rollout", punctual_budgets={"vnf.slice": "10ms"})
        self.assertEqual(run.returncode, 2, run.stdout[-3000:])
        self.assertIn("reload punctual.service", (fleet.folder / "one/state/log").read_text())
        self.assertEqual(fleet.treated(), HOSTS)   # as they were, with what they had
        self.assertEqual([fleet.config(host) for host in HOSTS], [before] * 2)
        self.assertNotIn("reload", (fleet.folder / "two/state/log").read_text())   # its turn had not come

    def test_a_regression_is_reverted_at_the_canary_and_nobody_else_is_touched(self):
        fleet = self.fleet(ratio=2.0)
        # Left loaded, and never judged, by a run that was broken off: measured from then on it would look as it always did.
        (fleet.folder / "one/state/punctual.service").write_text("0")
        (fleet.folder / "one/etc/punctual/unjudged").touch()
        run = fleet.play(tags="rollout")
        self.assertEqual(run.returncode, 2, run.stdout[-3000:])
        self.assertIn("worse", run.stdout)
        self.assertEqual((fleet.treated(), [fleet.config(host) for host in HOSTS]), ([], [None] * 2))
        self.assertFalse((fleet.folder / "one/state/punctual.service.enabled").exists())   # nor after a reboot
        self.assertEqual((fleet.targets()["treated"], fleet.slept()), ([], [0, SOAK_SECONDS, SOAK_SECONDS + 62]))

    def test_a_host_that_cannot_load_reverts_its_stage_without_a_soak_and_the_kill_switch_unloads_the_rest(self):
        fleet = self.fleet()
        (fleet.folder / "two/state/cannot-load").touch()
        run = fleet.play(tags="rollout", punctual_stages=["100%"])
        self.assertEqual(run.returncode, 2, run.stdout[-3000:])
        self.assertIn("failed or silent: two", run.stdout)
        self.assertEqual((fleet.treated(), fleet.slept()), ([], [0, 15]))   # 30 s between two hosts, and no soak

        (fleet.folder / "one/state/punctual.service").touch()
        run = fleet.play("unload.yml")
        self.assertEqual((run.returncode, fleet.treated(), changed(run)), (0, [], {"one": 1, "two": 0}), run.stdout[-3000:])


class Files(unittest.TestCase):
    def test_playbooks_are_ones(self):
        run = subprocess.run(["ansible-playbook", "--syntax-check", "-i", "inventory.example.yml", "rollout.yml", "unload.yml"], cwd=FOLDER,
                             capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_modules_are_those_of_ansible_core(self):
        for path in FOLDER.glob("**/*.yml"):
            for name in re.findall(r"^ +([a-z_]+\.[a-z_]+\.[a-z_]+):", path.read_text(), re.MULTILINE):
                self.assertTrue(name.startswith("ansible.builtin."), f"{path}: {name}")

    @unittest.skipUnless((expressions.ROOT / "deploy/systemd/punctual.service").exists(), "the guard has no configuration in this tree")
    def test_what_the_configuration_can_say_is_what_the_role_can_write(self):
        """Every key of the template is one that the program's reader of it knows."""
        template = (FOLDER / "roles/punctual/templates/punctual.toml.j2").read_text()
        reader = (expressions.ROOT / "src/scope/config_file.h").read_text()
        keys = re.findall(r"^(\w+) = ", template, re.MULTILINE) + re.findall(r"'(\w+)'", re.search(r"for key in \[(.*?)\]", template)[1])
        self.assertGreater(len(keys), 3)
        for key in keys:
            self.assertRegex(reader, rf"\b{key}\b")


if __name__ == "__main__":
    unittest.main()
