# SPDX-License-Identifier: GPL-2.0-only
"""Dashboards are JSON that any Grafana can import: expressions parse, name metrics that exist, and no machine is in them."""
import json
import re
import unittest

import expressions

BOARDS = sorted((expressions.ROOT / "deploy/grafana").glob("*.json"))
# What Grafana itself puts in, and a value that stands in for it here.
BUILT_IN = {"__rate_interval": "5m", "__range": "1h"}
VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


def expressions_of(board):
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def filled(text, values=BUILT_IN):
    return VARIABLE.sub(lambda match: values.get(match[1] or match[2], "x"), text)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def sources(value):
    """The uid of each data source that is named anywhere."""
    if isinstance(value, dict):
        if "datasource" in value:
            yield value["datasource"]["uid"] if isinstance(value["datasource"], dict) else value["datasource"]
        for inner in value.values():
            yield from sources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from sources(inner)


def overlaps(panels):
    cells = {}
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if cells.setdefault((x, y), panel["title"]) != panel["title"] or x >= 24:
                    yield panel["title"]


class Boards(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.boards = {path.name: json.loads(path.read_text()) for path in BOARDS}

    def test_there_are_two(self):
        self.assertEqual(sorted(self.boards), ["punctual-fleet.json", "punctual-node.json"])

    def test_expressions_parse(self):
        for name, board in self.boards.items():
            self.assertEqual(expressions.syntax_errors([filled(text) for text in expressions_of(board)]), "", name)

    def test_expressions_name_metrics_and_labels_that_exist(self):
        known = expressions.known_metrics()
        for board in self.boards.values():
            for text in expressions_of(board):
                self.assertEqual(expressions.unknown(filled(text), known), [], text)
                self.assertTrue("punctual" in text.lower(), text)

    def test_lists_of_variables_ask_for_metrics_and_labels_that_exist(self):
        known = expressions.known_metrics()
        for board in self.boards.values():
            for variable in board["templating"]["list"]:
                if variable["type"] == "query":
                    metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
                    self.assertEqual(expressions.unknown(filled(metric), known), [])
                    self.assertIn(label, known[metric.split("{")[0]] | expressions.TARGET_LABELS)

    def test_variables_that_are_used_are_declared(self):
        for name, board in self.boards.items():
            declared = {variable["name"] for variable in board["templating"]["list"]} | set(BUILT_IN)
            used = {match[1] or match[2] for text in strings(board) for match in VARIABLE.finditer(text)} - {"__all"}
            self.assertLessEqual(used, declared, name)

    def test_no_data_source_of_somebody_is_in_them(self):
        for name, board in self.boards.items():
            self.assertEqual(set(sources(board)), {"${datasource}"}, name)
            self.assertFalse([text for text in strings(board) if re.search(r"https?://|localhost", text)], name)
            self.assertNotIn("id", board, name)   # the number in somebody's database

    def test_every_panel_says_what_it_shows_and_has_its_place(self):
        for board in self.boards.values():
            self.assertTrue(all(panel["title"] and panel["description"] for panel in board["panels"]))
            self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))
            self.assertEqual(list(overlaps(board["panels"])), [])

    def test_heat_maps_take_the_bounds_of_the_histograms_as_they_are(self):
        maps = [panel for board in self.boards.values() for panel in board["panels"] if panel["type"] == "heatmap"]
        self.assertGreaterEqual(len(maps), 4)
        for panel in maps:
            self.assertIs(panel["options"]["calculate"], False, panel["title"])
            for target in panel["targets"]:
                self.assertEqual((target["format"], target["legendFormat"]), ("heatmap", "{{le}}"))

    def test_links_lead_to_dashboards_that_are_here(self):
        here = {board["uid"] for board in self.boards.values()}
        for board in self.boards.values():
            self.assertLessEqual({link["url"].removeprefix("/d/") for link in board["links"]}, here)


class SelfTest(unittest.TestCase):
    def test_panels_that_overlap_are_found(self):
        panels = [{"title": title, "gridPos": {"x": x, "y": 0, "w": 12, "h": 2}} for title, x in (("a", 0), ("b", 11))]
        self.assertIn("b", list(overlaps(panels)))

    def test_variables_are_filled_in_both_ways_of_writing_them(self):
        self.assertEqual(filled('a{b="$c", d=~"${e:regex}"}[$__rate_interval]'), 'a{b="x", d=~"x"}[5m]')


if __name__ == "__main__":
    unittest.main()
