# SPDX-License-Identifier: GPL-2.0-only
"""A `punctual serve` for the tests, and requests to it byte by byte."""
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import time

PUNCTUAL = os.environ.get("PUNCTUAL", "punctual")
SECONDS_MAX = 60   # emulated machines are slow
# Counting waits takes root and BTF; the rest of the server does not.
CAN_COUNT = os.geteuid() == 0 and os.path.exists("/sys/kernel/btf/vmlinux")


class Server:
    """Runs until closed. `port`: where it listens."""

    def __init__(self, *options, listen="127.0.0.1:0", command=(), **popen):
        options = [*options, *([] if CAN_COUNT or "--no-runq" in options else ["--no-runq"])]
        words = [*command, PUNCTUAL, "serve", *(["--listen", listen] if listen else []), *options]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **popen)
        self.said = self.process.stderr.readline()
        found = re.search(r"http://(?:\[::1\]|[\d.]+):(\d+)/ ", self.said)
        if not found:
            self.close()
            raise AssertionError(f"not started: {self.said}")
        self.port = int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Asks it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=SECONDS_MAX)
        self.process.stderr.close()
        return status

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS_MAX)

    def ask(self, path="/metrics", method="GET", headers=("Host: localhost",), body=b""):
        """Status, headers by small name, and body of one answer."""
        with contextlib.closing(self.connect()) as connection:
            head = "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "Connection: close", "", ""])
            connection.sendall(head.encode() + body)
            return parsed(read_all(connection))

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def nr_threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def nr_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def read_all(connection, seconds=SECONDS_MAX):
    """Until the other side closes, or says nothing for so long."""
    data = b""
    until = time.monotonic() + seconds
    while select.select([connection], [], [], max(0, until - time.monotonic()))[0]:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            break
        if not more:
            break
        data += more
    return data


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body
