# SPDX-License-Identifier: GPL-2.0-only
"""The live page in a real browser, from a real `punctual serve`; what a machine with budgets, a guard and hostile cgroups
would tell stands in for the server's JSON."""
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import browser

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "serve"))
from server import CAN_COUNT, Server   # pylint: disable=wrong-import-position

HOSTILE = '</script><img src=x onerror=window.broken=1>"\'&'
SECONDS_MAX = 60


def point(at_ns, number):
    octaves = [0] * 22
    octaves[3], octaves[9] = 40, number % 7
    return {"at_ns": at_ns, "scheduler": "scx_latency" if number > 100 else None, "waits": sum(octaves), "p50_ns": 4000 + number,
            "p90_ns": 9000, "p99_ns": 60_000 + 100 * (number % 50), "p999_ns": 2_000_000, "max_ns": 3_000_000, "lost": 0, "octaves": octaves}


class Stand(http.server.BaseHTTPRequestHandler):
    """The page of the real server with its headers; JSON of our own."""
    behind = None      # the real one
    number = 250       # of the newest point
    is_asleep = False  # answers, but its figures do not move

    @classmethod
    def document(cls, path):
        begun_ns = 1_700_000_000_000_000_000
        if not cls.is_asleep:
            cls.number += 1
        newest = point(begun_ns + cls.number * 200_000_000, cls.number)
        if path == "/api/history":
            points = [point(begun_ns + at * 200_000_000, at) for at in range(max(0, cls.number - 299), cls.number + 1)]
            return {"schema": "punctual.history", "version": 1, "interval_ns": 200_000_000, "lost": 0, "points": points}
        one = {"cgroup": HOSTILE, "budget_ns": 60_000, "waits": 123_456, "missed": 7, "windows": 50, "infeasible_windows": 2,
               "infeasible_text": HOSTILE, "recent_waits": 1000, "recent_missed": 3, "recent_p99_ns": 70_000}
        return {"schema": "punctual.live", "version": 1, "punctual": "0.1.0", "host": HOSTILE, "at_ns": newest["at_ns"],
                "interval_ns": 200_000_000, "lost": 5, "probes_ns": None, "guard_trouble": None, "waits_trouble": None,
                "scheduler": {"has_sched_ext": True, "scheduler": "scx_latency", "serves_all": True, "age_ns": 90_000_000_000,
                              "ejections": 2, "last_end": HOSTILE, "starved": 1, "trouble": None, "classes": [one]},
                "guard": {"running": True, "phase": "held", "held_by": "breaker", "reason": HOSTILE, "faults": 3, "loads": 4, "warnings": 0,
                          "exits": {"error": 2, "stall": 0}},
                "recent_ns": 60_000_000_000, "latest": newest,
                "cgroups": [{"cgroup": HOSTILE + str(n), "waits": n, "wait_ns_sum": n, "p50_ns": 1, "p99_ns": 2, "max_ns": 3,
                             "throttled_ns": 0} for n in range(1, 12)]}

    def do_GET(self):
        if self.path == "/":
            with urllib.request.urlopen(f"http://127.0.0.1:{self.behind}/", timeout=SECONDS_MAX) as page:
                body, headers = page.read(), {name: page.headers[name] for name in ("Content-Type", "Content-Security-Policy")}
        else:
            body, headers = json.dumps(self.document(self.path)).encode(), {"Content-Type": "application/json"}
        self.send_response(200)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):   # pylint: disable=arguments-differ
        pass


class OpenPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.server = Server("--interval", "200ms")
        cls.addClassCleanup(cls.server.close)
        cls.browser = browser.open_browser(folder.name)
        cls.addClassCleanup(cls.browser.quit)
        cls.browser.set_script_timeout(SECONDS_MAX)

    def text(self, name):
        return self.browser.execute_script("return document.getElementById(arguments[0]).textContent", name)

    def wait_for(self, script):
        until = time.monotonic() + SECONDS_MAX
        while not (found := self.browser.execute_script(script)):
            self.assertLess(time.monotonic(), until, f"never: {script}")
            time.sleep(0.05)
        return found


class Real(OpenPage):
    def test_shows_this_machine_and_asks_its_server_alone(self):
        url = f"http://127.0.0.1:{self.server.port}/"
        self.browser.get(url)
        self.wait_for("return document.title !== 'punctual'")
        if CAN_COUNT:
            self.wait_for("return document.querySelectorAll('#lines polyline').length === 3 && "
                          "document.querySelectorAll('#heat rect').length > 0 && document.querySelectorAll('#percentiles td').length > 7")
        self.assertIn("runs", self.text("headline"))
        self.assertEqual(browser.complaints(self.browser), [])
        self.assertLessEqual(browser.asked_for_by(self.browser, url) - {"data:,"}, {url, url + "api/live", url + "api/history"})


class Made(OpenPage):
    def setUp(self):
        Stand.behind, Stand.number, Stand.is_asleep = self.server.port, 250, False
        self.stand = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stand)
        self.stand.daemon_threads = True
        threading.Thread(target=self.stand.serve_forever, daemon=True).start()
        self.addCleanup(self.stop)
        self.browser.get(f"http://127.0.0.1:{self.stand.server_port}/")
        self.wait_for("return document.title === 'punctual: scx_latency'")

    def stop(self):
        if self.stand:
            self.stand.shutdown()
            self.stand.server_close()
            self.stand = None

    def test_hostile_names_stay_text(self):
        self.wait_for("return document.querySelectorAll('#cgroups tbody tr').length === 11")
        self.assertIsNone(self.browser.execute_script("return window.broken"))
        self.assertEqual(self.browser.find_elements(browser.By.TAG_NAME, "img"), [])
        for name in ("host", "guard-why", "budgets", "cgroups", "facts"):
            self.assertIn(HOSTILE, self.text(name))

    def test_says_what_is_wrong(self):
        self.assertEqual((self.text("scheduler"), self.text("guard"), self.text("missed")), ("scx_latency", "held", "3"))
        self.assertIn("missed budgets 3 times", self.text("headline"))
        self.assertIn("not in 2 of 50 windows", self.text("budgets"))
        self.assertIn("error 2", self.text("facts"))

    def test_draws_every_line_and_the_change_of_scheduler(self):
        self.wait_for("return document.querySelectorAll('#lines polyline').length === 3")
        # By one script: the page draws anew five times a second.
        lengths = self.browser.execute_script(
            "return [...document.querySelectorAll('#lines polyline')].map(line => line.getAttribute('points').split(' ').length)")
        self.assertGreaterEqual(min(lengths), 250)
        self.assertEqual(len(self.browser.find_elements(browser.By.CSS_SELECTOR, "#lines .mark")), 1)
        self.assertGreater(len(self.browser.find_elements(browser.By.CSS_SELECTOR, "#heat rect")), 50)

    def test_goes_on_by_itself_and_pauses_by_the_keyboard(self):
        before = self.text("lead")
        self.wait_for(f"return document.getElementById('lead').textContent !== {json.dumps(before)}")
        focused = "return document.activeElement.id"
        for _ in range(10):
            self.browser.switch_to.active_element.send_keys("\ue004")   # Tab
            if self.browser.execute_script(focused) == "pause":
                break
        self.browser.switch_to.active_element.send_keys(" ")
        self.wait_for("return document.getElementById('pause').getAttribute('aria-pressed') === 'true'")
        time.sleep(0.5)   # an answer that was on its way
        paused = self.text("lead")
        time.sleep(1.5)
        self.assertEqual(self.text("lead"), paused)
        self.assertFalse(self.browser.execute_script("return document.body.classList.contains('stale')"))

    def test_arrow_keys_read_single_moments(self):
        self.browser.execute_script("document.getElementById('lines').focus()")
        self.browser.switch_to.active_element.send_keys("\ue012")   # left
        self.wait_for("return document.getElementById('moment').textContent.includes('p99')")
        self.browser.switch_to.active_element.send_keys("\ue011")   # home
        self.wait_for("return document.getElementById('moment').textContent.includes('EEVDF')")

    def test_follows_the_scheme_of_the_reader(self):
        shades = []
        for scheme in ("light", "dark"):
            browser.emulate(self.browser, prefers_color_scheme=scheme)
            shades.append(browser.shade(self.browser))
            ratio, where = self.browser.execute_script(browser.CONTRAST)
            self.assertGreaterEqual(ratio, browser.CONTRAST_MIN, f"{scheme}: {where}")
        self.assertNotEqual(*shades)

    def test_fits_narrow_windows(self):
        self.addCleanup(browser.resize, self.browser, 1280)
        for width, zoom in ((1280, 1), (1280, 4), (360, 1)):
            browser.resize(self.browser, width, zoom)
            self.assertLessEqual(browser.overflow(self.browser), 0, f"{width} pixels at {zoom * 100} %")

    def test_marks_what_is_old_when_the_server_is_gone_and_when_it_measures_no_more(self):
        Stand.is_asleep = True
        self.wait_for("return document.body.classList.contains('stale')")
        self.assertIn("has not measured", self.text("stale"))
        Stand.is_asleep = False
        self.wait_for("return !document.body.classList.contains('stale') && document.getElementById('stale').hidden")
        self.stop()
        self.wait_for("return document.body.classList.contains('stale')")
        self.wait_for("return document.getElementById('stale').textContent.startsWith('No answer')")
        self.assertIn("no news", self.browser.title)


del OpenPage   # it has no tests of its own

if __name__ == "__main__":
    unittest.main(verbosity=2)
