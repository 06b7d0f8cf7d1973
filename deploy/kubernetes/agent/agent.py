#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Gives the cgroups of annotated pods of this node their latency budget, by the attribute user.latency_ns.

Lists and watches the node's pods at the API server, and writes what pod_budgets.plan says. scx_latency follows the attributes
by itself, so this program needs neither BPF nor any capability, and no scheduler has to be loaded. When it ends, budgets stay
as they are; a pod that goes takes its cgroup and so its budget along. Attributes of pods below the kubelet's cgroup are this
program's alone: what it did not plan it removes.

Standard library only. Every wait and every answer has a bound.
"""
import argparse
import errno
import http.client
import json
import os
import pathlib
import random
import signal
import ssl
import sys
import time
import urllib.parse

import pod_budgets

ATTRIBUTE = "user.latency_ns"
ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
PAGE = 250                    # pods in an answer
PODS_MAX = 1_000              # of a node; the kubelet's own default is 110
LINE_BYTES_MAX = 4 << 20      # one watched pod
ANSWER_BYTES_MAX = 64 << 20
WATCH_SECONDS = 60
WATCHES = 10                  # between two lists
EVENTS_MAX = 100_000          # in a watch
ANSWER_SECONDS_MAX = 30
WAIT_SECONDS_MAX = 60         # of the back-off
ALIVE_SECONDS_MAX = 240       # since the last sign of life: a watch, an answer and a back-off take 150


class Trouble(Exception):
    """The API server cannot be asked, or says no."""


def say(text):
    print(f"punctual-agent: {text}", file=sys.stderr, flush=True)


class ApiServer:
    """Lists and watches of the pods of one node."""

    def __init__(self, url, node, account=ACCOUNT):
        self.address = urllib.parse.urlsplit(url)
        self.node, self.account = node, account

    def _request(self, seconds, **fields):
        if self.address.scheme == "https":
            context = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
            connection = http.client.HTTPSConnection(self.address.hostname, self.address.port, timeout=seconds, context=context)
        else:
            connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=seconds)
        headers = {"Accept": "application/json"}
        token = self.account / "token"
        if token.exists():
            headers["Authorization"] = f"Bearer {token.read_text().strip()}"   # read anew: it is exchanged each hour
        query = urllib.parse.urlencode({"fieldSelector": f"spec.nodeName={self.node}", **fields})
        connection.request("GET", f"/api/v1/pods?{query}", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            text = answer.read(500).decode(errors="replace")
            connection.close()
            raise Trouble(f"the API server says {answer.status} {answer.reason}: {text}")
        return connection, answer

    def list(self):
        """({uid: pod}, the version to watch from)."""
        pods, more = {}, ""
        for _ in range(PODS_MAX // PAGE):
            connection, answer = self._request(ANSWER_SECONDS_MAX, limit=PAGE, **({"continue": more} if more else {}))
            document = json.loads(answer.read(ANSWER_BYTES_MAX))
            connection.close()
            pods |= {pod["metadata"]["uid"]: pod for pod in document["items"]}
            more = document["metadata"].get("continue", "")
            if not more:
                return pods, document["metadata"]["resourceVersion"]
        raise Trouble(f"more than {PODS_MAX} pods on this node")

    def watch(self, version, seconds):
        """The events of so many seconds, as (kind, pod); a bookmark's pod has nothing but its version."""
        connection, answer = self._request(seconds + ANSWER_SECONDS_MAX, watch="true", resourceVersion=version, timeoutSeconds=seconds,
                                           allowWatchBookmarks="true")
        try:
            for _ in range(EVENTS_MAX):
                line = answer.readline(LINE_BYTES_MAX)
                if not line:
                    return
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise Trouble(f"the watch ended: {event['object'].get('message', '')}")
                yield event["type"], event["object"]
        finally:
            connection.close()


class Cgroups:
    """The node's cgroups, as far as they are the kubelet's: reads and writes the attribute."""

    def __init__(self, mount, root="/"):
        self.mount, self.root = pathlib.Path(mount), root

    def driver(self):
        return pod_budgets.find_driver(lambda path: (self.mount / path).is_dir(), self.root)

    def given(self, driver):
        """{cgroup: ns} of all pods that have the attribute; an unreadable value is -1."""
        found = {}
        kubepods = self.mount / pod_budgets.kubepods_cgroup(driver, self.root)
        for path in [*kubepods.glob("*pod*"), *kubepods.glob("*/*pod*")]:
            try:
                value = os.getxattr(path, ATTRIBUTE)
            except OSError:
                continue
            found[str(path.relative_to(self.mount))] = int(value) if value.isdigit() else -1
        return found

    def give(self, path, ns):
        """False when the pod has no cgroup (yet, or any more)."""
        try:
            os.setxattr(self.mount / path, ATTRIBUTE, str(ns).encode())
            return True
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            return False

    def take(self, path):
        try:
            os.removexattr(self.mount / path, ATTRIBUTE)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODATA):
                raise


class Agent:
    """Keeps the attributes as planned. `apply` may be called at any time and as often as one likes."""

    def __init__(self, cgroups, options):
        self.cgroups, self.options = cgroups, options
        self.given = None        # what was written, so that nothing is written twice
        self.said = set()

    def apply(self, pods):
        driver = self.options.driver or self.cgroups.driver()
        if driver is None:
            self.complain([f"no cgroup of the kubelet below {self.cgroups.mount}: is it cgroup version 2, and --cgroup-root right?"])
            return
        planned, complaints = pod_budgets.plan(pods, driver, self.options.cgroup_root, self.options.namespace, self.options.least_ns)
        if self.given is None:
            self.given = self.cgroups.given(driver)
        for path in self.given.keys() - planned.keys():
            self.cgroups.take(path)
            say(f"{path}: budget taken away")
        given = {}
        for path, ns in planned.items():
            # Written again when its directory is another one: a pod that is restarted may keep its name.
            if self.cgroups.give(path, ns):
                given[path] = ns
                if self.given.get(path) != ns:
                    say(f"{path}: {ns} ns")
        self.given = given
        self.complain(complaints)

    def complain(self, complaints):
        """Each once, for as long as it lasts."""
        for text in sorted(set(complaints) - self.said):
            say(text)
        self.said = set(complaints)

    def follow(self, server, sign_of_life):
        """A list, and watches from there on; then it is time for another list, so that what was missed does not last."""
        pods, version = server.list()
        for _ in range(WATCHES):
            # Also when nothing happened: a pod's cgroup comes a moment after the pod.
            self.apply(pods.values())
            sign_of_life()
            for kind, pod in server.watch(version, WATCH_SECONDS):
                version = pod["metadata"]["resourceVersion"]
                if kind == "DELETED":
                    pods.pop(pod["metadata"]["uid"], None)
                elif kind != "BOOKMARK" and (len(pods) < PODS_MAX or pod["metadata"]["uid"] in pods):
                    pods[pod["metadata"]["uid"]] = pod
                self.apply(pods.values())


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", "127.0.0.1"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    parser.add_argument("--server", default=f"https://{f'[{host}]' if ':' in host else host}:{port}", metavar="URL")
    parser.add_argument("--node", default=os.environ.get("NODE_NAME"), metavar="NAME", help="default: the variable NODE_NAME")
    parser.add_argument("--cgroups", default="/sys/fs/cgroup", metavar="DIRECTORY")
    parser.add_argument("--cgroup-root", default="/", metavar="PATH", help="--cgroup-root of the kubelet")
    parser.add_argument("--driver", choices=["systemd", "cgroupfs"], help="default: as the cgroups look")
    parser.add_argument("--namespace", nargs="*", default=[], help="only their pods may have a budget; default: all")
    parser.add_argument("--least", default="10us", metavar="DURATION", help="a shorter budget is refused (default: 10us)")
    parser.add_argument("--alive-file", default="/run/punctual-agent/alive", metavar="FILE", help="touched after each look")
    parser.add_argument("--alive", action="store_true", help="only tell by the exit status whether that was lately")
    options = parser.parse_args(words)
    try:
        options.least_ns = pod_budgets.budget_ns(options.least)
    except ValueError as error:
        parser.error(f"--least: {error}")
    if not options.alive and not options.node:
        parser.error("give --node, or set NODE_NAME")
    return options


def is_alive(path):
    try:
        return time.time() - os.stat(path).st_mtime < ALIVE_SECONDS_MAX
    except OSError:
        return False


def main(words):
    options = arguments(words)
    alive = pathlib.Path(options.alive_file)
    if options.alive:
        return 0 if is_alive(alive) else 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    agent = Agent(Cgroups(options.cgroups, options.cgroup_root), options)
    server = ApiServer(options.server, options.node)
    wait_seconds = 1
    while True:   # until SIGTERM; each turn has its bounds
        try:
            agent.follow(server, alive.touch)
            wait_seconds = 1
        except PermissionError as error:
            say(f"{error}: it must run as root and {options.cgroups} be writable")
            return 1
        except (Trouble, OSError, ValueError, KeyError, http.client.HTTPException) as error:
            say(f"{error}; again in {wait_seconds} s")
            # Budgets stay; that nobody can be asked is no reason to be killed.
            alive.touch()
            time.sleep(wait_seconds * random.uniform(0.75, 1))
            wait_seconds = min(2 * wait_seconds, WAIT_SECONDS_MAX)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
