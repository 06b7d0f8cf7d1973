# SPDX-License-Identifier: GPL-2.0-only
"""Our pages in a real browser: they open without a network, follow the reader's scheme and width, and hostile names
stay text. Needs Debian's chromium, chromium-driver and python3-selenium; skipped where they are not."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.by import By
except ImportError as error:
    print(f"skipped: {error} (apt install python3-selenium chromium-driver)")
    sys.exit(SKIPPED)

PAGES = os.environ["PAGES"]   # the program that writes them
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-quic")
CONTRAST_MIN = 4.5   # of text, WCAG 2.1 level AA

# All text that is shown: its contrast with what is behind it, the lowest of the page.
CONTRAST = """
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const parts = text => text.match(/[\\d.]+/g).map(Number);
const behind = element => {
    for (; element; element = element.parentElement) {
        const color = parts(getComputedStyle(element).backgroundColor);
        if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
};
let lowest = [99, ''];
for (const element of document.querySelectorAll('h1, h2, p, td, th, dd, dt, figcaption, li')) {
    if (!element.textContent.trim()) continue;
    const [a, b] = [light(parts(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, element.outerHTML.slice(0, 120)];
}
return lowest;
"""


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run([PAGES, cls.folder.name], check=True, timeout=60)
        cls.pages = sorted(pathlib.Path(cls.folder.name).glob("*.html"))
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={cls.folder.name}/profile"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = start(options)
        cls.addClassCleanup(cls.browser.quit)
        cls.browser.set_page_load_timeout(120)

    def on_each_page(self, check):
        for page in self.pages:
            with self.subTest(page.name):
                self.browser.get(page.as_uri())
                check(page)

    def asked_for_by(self, document):
        """What the browser was to fetch for it, since this was asked last."""
        events = (json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance"))
        return {event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent" and event["params"]["documentURL"] == document}

    def emulate(self, **features):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]})

    def resize(self, width, zoom=1):
        """A window of this width in CSS pixels at 100 %; the reader zooms in."""
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": int(width / zoom), "height": 900, "deviceScaleFactor": zoom, "mobile": False})

    def test_there_are_pages(self):
        self.assertTrue(self.pages)

    def test_opens_without_a_complaint_and_asks_for_nothing_else(self):
        def check(page):
            self.assertEqual([entry["message"] for entry in self.browser.get_log("browser")], [])
            self.assertEqual(self.asked_for_by(page.as_uri()), {page.as_uri()})
        self.on_each_page(check)

    def test_hostile_names_stay_text(self):
        def check(_page):
            self.assertIsNone(self.browser.execute_script("return window.broken"))
            self.assertEqual(self.browser.find_elements(By.TAG_NAME, "img"), [])
            self.assertIn("onerror=window.broken=1", self.browser.find_element(By.TAG_NAME, "body").text)
        self.on_each_page(check)

    def test_every_figure_has_its_numbers_beside_it(self):
        def check(_page):
            figures = self.browser.find_elements(By.CSS_SELECTOR, "figure svg")
            self.assertTrue(figures)
            for figure in figures:
                size = figure.size
                self.assertGreater(min(size["width"], size["height"]), 20)
            self.assertTrue(self.browser.find_elements(By.CSS_SELECTOR, "table td"))
        self.on_each_page(check)

    def test_follows_the_scheme_of_the_reader(self):
        def check(_page):
            shades = []
            for scheme in ("light", "dark"):
                self.emulate(prefers_color_scheme=scheme)
                shades.append(self.browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
                ratio, where = self.browser.execute_script(CONTRAST)
                self.assertGreaterEqual(ratio, CONTRAST_MIN, f"{scheme}: {where}")
            self.assertNotEqual(shades[0], shades[1])
        self.on_each_page(check)

    def test_fits_narrow_windows_and_large_type(self):
        def check(_page):
            for width, zoom in ((1280, 1), (1280, 2), (1280, 4), (360, 1)):
                self.resize(width, zoom)
                self.assertLessEqual(
                    self.browser.execute_script("return document.documentElement.scrollWidth - innerWidth"), 0,
                    f"{width} pixels at {zoom * 100} %")
        self.on_each_page(check)


def start(options):
    """chromedriver's service class moved between the versions of Debian 12 and 13; the name did not."""
    from selenium.webdriver.chrome.service import Service   # pylint: disable=import-outside-toplevel
    try:
        return webdriver.Chrome(service=Service(DRIVER), options=options)
    except WebDriverException as error:
        print(f"no browser: {error.msg}")
        raise


if __name__ == "__main__":
    missing = [program for program in (CHROMIUM, DRIVER) if not os.access(program, os.X_OK)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (apt install chromium chromium-driver)")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
