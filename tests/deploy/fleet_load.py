# SPDX-License-Identifier: GPL-2.0-only
"""A thousand simulated nodes and one Prometheus with our rules: series, ingestion, and what the rules cost.

    fleet_load.py [--nodes N] [--write]      --write: the figures into docs/fleet.md; as `make fleet-load` runs it

What a node answers is the text of tests/deploy/node_metrics.cpp, so the program's own format, with counters that rise. Eight
minutes: one or two until all series are there, one measured without rules, four until the windows of five minutes are full, one
measured with rules.
Exit status 1: a claim does not hold.
"""
import argparse
import contextlib
import functools
import http.server
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from expressions import NODE_METRICS, ROOT, RULES

BEGIN, END = "<!-- from tests/deploy/fleet_load.py, by: make fleet-load -->", "<!-- end -->"
SERIES_MAX = 1250           # of a node; deploy/prometheus/prometheus.yml says so
SCRAPE_SECONDS = 30
MEASURED_SECONDS, FILL_SECONDS = 60, 240
START_SECONDS_MAX = 120
FIRST_SECONDS_MAX = 900     # until all series are there: a second of CPU time for each 50,000
RATES = 7
SAMPLE = re.compile(r"^(\S+) (\S+)$")


class Node(http.server.BaseHTTPRequestHandler):
    """Answers /NUMBER/metrics for all nodes."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    lines = []               # (text before the value, value or None, does it rise)
    started = time.time()

    @classmethod
    def prepare(cls, text):
        rising = set()
        for line in text.splitlines(keepends=True):
            kind = re.match(r"# TYPE (\w+) (counter|histogram)", line)
            if kind:
                rising.add(kind[1])
            sample = SAMPLE.match(line)
            name = re.split(r"[{ ]", line)[0]
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            if sample and (name in rising or family in rising):
                cls.lines.append((sample[1], float(sample[2])))
            else:
                cls.lines.append((line, None))

    @classmethod
    @functools.lru_cache(maxsize=4 * RATES)
    def body(cls, times):
        return "".join(line if value is None else f"{line} {value * times:.10g}\n" for line, value in cls.lines).encode()

    def do_GET(self):  # pylint: disable=invalid-name
        number = int(self.path.split("/")[1])
        # Nodes differ in their rate; a whole number of times keeps buckets in order. The texts of a moment are few, so that
        # the nodes take little of the machine that they share with the server that is measured.
        body = self.body(int((time.time() - self.started) / SCRAPE_SECONDS * 2 + 1) * (1 + number % RATES))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, *_):
        """Prometheus closes its connections when it reads its configuration anew."""


class Prometheus:
    def __init__(self, folder, port, nodes, own_port):
        self.folder, self.url = folder, f"http://127.0.0.1:{own_port}"
        targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"__metrics_path__": f"/{at}/metrics", "instance": f"node-{at}:9766",
                                                                 "rollout": "treated" if at % 2 else "control"}} for at in range(nodes)]
        (folder / "targets.json").write_text(json.dumps(targets))
        self.configure([])
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                             f"--web.listen-address=127.0.0.1:{own_port}", "--web.enable-lifecycle"], stderr=log)

    def configure(self, rules):
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": "30s"}, "rule_files": [str(path) for path in rules],
            "scrape_configs": [
                {"job_name": "punctual", "sample_limit": 5000, "file_sd_configs": [{"files": [str(self.folder / "targets.json")]}]},
                {"job_name": "self", "static_configs": [{"targets": [self.url.removeprefix("http://")]}]}]}))

    def reload(self):
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/-/reload", method="POST"), timeout=60):
            pass

    def rows(self, expression):
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=300) as answer:
            return [(row["metric"], float(row["value"][1])) for row in json.load(answer)["data"]["result"]]

    def one(self, expression):
        rows = self.rows(expression)
        return rows[0][1] if rows else 0.0

    def ready(self):
        for _ in range(START_SECONDS_MAX):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=10) as answer:
                if answer.status == 200:
                    return
            time.sleep(1)
        raise SystemExit(f"fleet_load: prometheus does not start: {(self.folder / 'log').read_text()[-500:]}")

    def cpu_seconds(self):
        """Of the process, as the kernel counts it: it does not depend on what else the machine does."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measured(self, seconds):
        """CPUs that it used, and samples a second that it took in."""
        before, appended, at = self.cpu_seconds(), self.one("prometheus_tsdb_head_samples_appended_total"), time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - at
        return (self.cpu_seconds() - before) / elapsed, (self.one("prometheus_tsdb_head_samples_appended_total") - appended) / elapsed


def free_port():
    server = Server(("127.0.0.1", 0), Node)
    server.server_close()
    return server.server_port


def wait_for_all(prometheus, nodes):
    until = time.monotonic() + FIRST_SECONDS_MAX
    while prometheus.one('sum(up{job="punctual"})') < nodes:
        if time.monotonic() > until:
            raise SystemExit(f"fleet_load: not all nodes have answered within {FIRST_SECONDS_MAX} s: this machine is too busy, or too small")
        time.sleep(5)
    time.sleep(SCRAPE_SECONDS)   # the second round adds no series


def figures(prometheus, nodes):
    """All that the page tells, by name."""
    wait_for_all(prometheus, nodes)
    found = {"cpu_bare": prometheus.measured(MEASURED_SECONDS)[0]}
    prometheus.configure(RULES)
    prometheus.reload()
    time.sleep(FILL_SECONDS)
    found["cpu_rules"], found["samples_a_second"] = prometheus.measured(MEASURED_SECONDS)
    found |= {
        "up": prometheus.one('sum(up{job="punctual"})'),
        "series_of_a_node": prometheus.one('max(scrape_samples_post_metric_relabeling{job="punctual"})'),
        "series": prometheus.one("prometheus_tsdb_head_series"),
        "recorded": prometheus.one('count({__name__=~"(instance|fleet|slo):.+"})'),
        "memory_mib": prometheus.one('process_resident_memory_bytes{job="self"}') / 2**20,
        "scrape_seconds": prometheus.one('quantile(0.99, scrape_duration_seconds{job="punctual"})'),
        "missed": prometheus.one("sum(prometheus_rule_group_iterations_missed_total)"),
        "failed": prometheus.one("sum(prometheus_rule_evaluation_failures_total)"),
        "fleet_p99": prometheus.one('fleet:punctual_runq_latency_seconds:p99_5m{rollout="treated"}'),
    }
    found["groups"] = {labels["rule_group"].rpartition(";")[2]: seconds for labels, seconds in
                       prometheus.rows("prometheus_rule_group_last_duration_seconds")}
    return found


def broken(found, nodes):
    """Claims that do not hold."""
    claims = {f"all {nodes} nodes answer": found["up"] == nodes,
              f"a node has at most {SERIES_MAX} series": found["series_of_a_node"] <= SERIES_MAX,
              "no evaluation of a rule failed": found["failed"] == 0,
              "no evaluation was missed": found["missed"] == 0,
              "the fleet's p99 is known": found["fleet_p99"] > 0}
    return [claim for claim, holds in claims.items() if not holds]


def page(found, nodes, load):
    rows = [(f"nodes, all scraped each {SCRAPE_SECONDS} s", f"{nodes:,}"), ("series of a node", f"{found['series_of_a_node']:,.0f}"),
            ("series in all", f"{found['series']:,.0f}"), ("of these recorded by rules", f"{found['recorded']:,.0f}"),
            ("samples a second", f"{found['samples_a_second']:,.0f}"), ("memory of Prometheus", f"{found['memory_mib']:,.0f} MiB"),
            ("CPUs of Prometheus, without rules", f"{found['cpu_bare']:.2f}"), ("CPUs of Prometheus, with rules", f"{found['cpu_rules']:.2f}"),
            *((f"one evaluation of {name}", f"{seconds * 1000:,.0f} ms") for name, seconds in sorted(found["groups"].items()))]
    version = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return "\n".join([BEGIN, f"Prometheus {version} on {os.cpu_count()} CPUs, {platform.machine()}, which the simulated nodes share with it; load of the "
                      f"machine {load:.0f}, so times on the clock are what they were there and CPU time is what counts.", "",
                      "| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), END])


def write(text):
    path = ROOT / "docs/fleet.md"
    before, _, rest = path.read_text().partition(BEGIN)
    path.write_text(before + text + rest.partition(END)[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    Node.prepare(subprocess.run([NODE_METRICS], capture_output=True, text=True, check=True).stdout)
    server = Server(("127.0.0.1", 0), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        prometheus = Prometheus(pathlib.Path(name), server.server_port, options.nodes, free_port())
        try:
            prometheus.ready()
            found = figures(prometheus, options.nodes)
        finally:
            prometheus.process.kill()   # nothing of it is kept
            prometheus.process.wait(timeout=120)
    text = page(found, options.nodes, os.getloadavg()[1])
    print(text)
    if options.write:
        write(text)
    wrong = broken(found, options.nodes)
    for claim in wrong:
        print(f"fleet_load: does not hold: {claim}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
