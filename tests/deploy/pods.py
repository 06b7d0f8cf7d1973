# SPDX-License-Identifier: GPL-2.0-only
"""An API server with pods, and cgroups as kubelets lay them out; for the agent's tests.

The layouts are those that the kubelet's source and documentation tell (pkg/kubelet/cm: qos_container_manager_linux.go,
pod_container_manager_linux.go, cgroup_manager_linux.go), v1.28 and later; they were not read from a cluster.
"""
import contextlib
import http.server
import json
import queue
import threading
import urllib.parse

GUARANTEED = "11111111-aaaa-4bbb-8ccc-000000000001"
BURSTABLE = "22222222-aaaa-4bbb-8ccc-000000000002"
BEST_EFFORT = "33333333-aaaa-4bbb-8ccc-000000000003"
STATIC = "0123456789abcdef0123456789abcdef"   # of a file in the kubelet's own folder
ID = "8c2f" * 16


def under(uid):
    return uid.replace("-", "_")


LAYOUTS = {
    # Debian, containerd with SystemdCgroup = true
    ("systemd", "/"): {
        GUARANTEED: f"kubepods.slice/kubepods-pod{under(GUARANTEED)}.slice",
        BURSTABLE: f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{under(BURSTABLE)}.slice",
        BEST_EFFORT: f"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{under(BEST_EFFORT)}.slice",
        STATIC: f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{STATIC}.slice",
    },
    # a node in a container, with --cgroup-root=/kubelet
    ("systemd", "/kubelet"): {
        GUARANTEED: f"kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{under(GUARANTEED)}.slice",
        BURSTABLE: "kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
                   f"kubelet-kubepods-burstable-pod{under(BURSTABLE)}.slice",
        BEST_EFFORT: "kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
                     f"kubelet-kubepods-besteffort-pod{under(BEST_EFFORT)}.slice",
        STATIC: f"kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod{STATIC}.slice",
    },
    ("cgroupfs", "/"): {
        GUARANTEED: f"kubepods/pod{GUARANTEED}",
        BURSTABLE: f"kubepods/burstable/pod{BURSTABLE}",
        BEST_EFFORT: f"kubepods/besteffort/pod{BEST_EFFORT}",
        STATIC: f"kubepods/burstable/pod{STATIC}",
    },
}
CONTAINER = {"systemd": f"cri-containerd-{ID}.scope", "cgroupfs": ID}


def pod(uid, quality, budget=None, name="web", namespace="default", created="2026-01-01T00:00:00Z", **more):
    annotations = {"punctual/latency-budget": budget} if budget else {}
    return {"metadata": {"uid": uid, "name": name, "namespace": namespace, "creationTimestamp": created, "resourceVersion": "5",
                         "annotations": {**annotations, **more}},
            "status": {"qosClass": quality, "phase": "Running"}}


def make(mount, layout):
    """Folders with a container in each pod."""
    for path in LAYOUTS[layout].values():
        (mount / path / CONTAINER[layout[0]]).mkdir(parents=True)


class Server:
    """Lists what is in `pods`, then passes on what is put into `events`. `asked`: the queries, as they came."""

    def __init__(self, pods, page=2):
        self.pods, self.page = list(pods), page
        self.events = queue.Queue()
        self.asked = []
        self.denied = False
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.events.put(None)
        self.http.shutdown()
        self.http.server_close()

    def list(self, query):
        start = int(query.get("continue", 0))
        more = {"continue": str(start + self.page)} if start + self.page < len(self.pods) else {}
        return {"items": self.pods[start:start + self.page], "metadata": {"resourceVersion": "5", **more}}

    def handler(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                server.asked.append(query)
                if server.denied:
                    self.send_error(403, "Forbidden")
                    return
                self.send_response(200)
                if "watch" not in query:
                    body = json.dumps(server.list(query)).encode()
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                # As the API server does: a chunk an event, at once.
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                with contextlib.suppress(OSError):
                    while event := server.events.get():
                        line = json.dumps(event).encode() + b"\n"
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_):
                pass
        return Handler
