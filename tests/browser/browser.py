# SPDX-License-Identifier: GPL-2.0-only
"""Headless Chromium for the tests of this folder. Needs Debian's chromium, chromium-driver and python3-selenium; who
imports this where they are not is skipped."""
import json
import os
import sys

SKIPPED = 77
try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.by import By   # pylint: disable=unused-import
except ImportError as error:
    print(f"skipped: {error} (apt install python3-selenium chromium-driver)")
    sys.exit(SKIPPED)

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


def open_browser(folder):
    """A browser whose profile is in `folder`, and which keeps logs of its console and of what it fetched."""
    missing = [program for program in (CHROMIUM, DRIVER) if not os.access(program, os.X_OK)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (apt install chromium chromium-driver)")
        sys.exit(SKIPPED)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={folder}/profile"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = start(options)
    browser.set_page_load_timeout(120)
    return browser


def complaints(browser):
    """What the console says, since this was asked last."""
    return [entry["message"] for entry in browser.get_log("browser")]


def asked_for_by(browser, document):
    """What the browser was to fetch for it, since this was asked last."""
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return {event["params"]["request"]["url"] for event in events
            if event["method"] == "Network.requestWillBeSent" and event["params"]["documentURL"] == document}


def emulate(browser, **features):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]})


def resize(browser, width, zoom=1):
    """A window of this width in CSS pixels at 100 %; the reader zooms in."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": int(width / zoom), "height": 900, "deviceScaleFactor": zoom, "mobile": False})


def overflow(browser):
    """By how many pixels the page is wider than its window."""
    return browser.execute_script("return document.documentElement.scrollWidth - innerWidth")


def shade(browser):
    return browser.execute_script("return getComputedStyle(document.body).backgroundColor")


def start(options):
    """chromedriver's service class moved between the versions of Debian 12 and 13; the name did not."""
    from selenium.webdriver.chrome.service import Service   # pylint: disable=import-outside-toplevel
    try:
        return webdriver.Chrome(service=Service(DRIVER), options=options)
    except WebDriverException as error:
        print(f"no browser: {error.msg}")
        raise
