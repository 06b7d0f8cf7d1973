# SPDX-License-Identifier: GPL-2.0-only
"""Our pages in a real browser: they open without a network, follow the reader's scheme and width, and hostile names
stay text."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import browser

PAGES = os.environ["PAGES"]   # the program that writes them


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run([PAGES, cls.folder.name], check=True, timeout=60)
        cls.pages = sorted(pathlib.Path(cls.folder.name).glob("*.html"))
        cls.browser = browser.open_browser(cls.folder.name)
        cls.addClassCleanup(cls.browser.quit)

    def on_each_page(self, check):
        for page in self.pages:
            with self.subTest(page.name):
                self.browser.get(page.as_uri())
                check(page)

    def test_there_are_pages(self):
        self.assertTrue(self.pages)

    def test_opens_without_a_complaint_and_asks_for_nothing_else(self):
        def check(page):
            self.assertEqual(browser.complaints(self.browser), [])
            self.assertEqual(browser.asked_for_by(self.browser, page.as_uri()), {page.as_uri()})
        self.on_each_page(check)

    def test_hostile_names_stay_text(self):
        def check(_page):
            self.assertIsNone(self.browser.execute_script("return window.broken"))
            self.assertEqual(self.browser.find_elements(browser.By.TAG_NAME, "img"), [])
            self.assertIn("onerror=window.broken=1", self.browser.find_element(browser.By.TAG_NAME, "body").text)
        self.on_each_page(check)

    def test_every_figure_has_its_numbers_beside_it(self):
        def check(_page):
            figures = self.browser.find_elements(browser.By.CSS_SELECTOR, "figure svg")
            self.assertTrue(figures)
            for figure in figures:
                size = figure.size
                self.assertGreater(min(size["width"], size["height"]), 20)
            self.assertTrue(self.browser.find_elements(browser.By.CSS_SELECTOR, "table td"))
        self.on_each_page(check)

    def test_follows_the_scheme_of_the_reader(self):
        def check(_page):
            shades = []
            for scheme in ("light", "dark"):
                browser.emulate(self.browser, prefers_color_scheme=scheme)
                shades.append(browser.shade(self.browser))
                ratio, where = self.browser.execute_script(browser.CONTRAST)
                self.assertGreaterEqual(ratio, browser.CONTRAST_MIN, f"{scheme}: {where}")
            self.assertNotEqual(shades[0], shades[1])
        self.on_each_page(check)

    def test_fits_narrow_windows_and_large_type(self):
        def check(_page):
            for width, zoom in ((1280, 1), (1280, 2), (1280, 4), (360, 1)):
                browser.resize(self.browser, width, zoom)
                self.assertLessEqual(browser.overflow(self.browser), 0, f"{width} pixels at {zoom * 100} %")
        self.on_each_page(check)


if __name__ == "__main__":
    unittest.main(verbosity=2)
