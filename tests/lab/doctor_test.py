# SPDX-License-Identifier: GPL-2.0-only
"""doctor on a machine that really has sched_ext: it says so, and notices a scheduler that is loaded."""
import json
import unittest

from guest import WALL, lab

SCRIPT = """
punctual doctor --json > /out.json; echo $?
cat /out.json; echo
punctual run scx_simple -- punctual doctor --json
"""


class Doctor(unittest.TestCase):
    def test_lab_kernel_is_ready_before_and_while_a_scheduler_is_loaded(self):
        ended = lab("sh", "-c", SCRIPT, options=WALL)
        status, documents = ended.out.decode().split("\n", 1)
        self.assertEqual(status, "0", ended)
        idle, end = json.JSONDecoder().raw_decode(documents)
        loaded = json.loads(documents[end:])
        for document in (idle, loaded):
            self.assertEqual((document["schema"], document["version"]), ("punctual.doctor", 1))
            self.assertTrue(document["native_ready"], document)
        levels = [{check["name"]: check for check in document["checks"]} for document in (idle, loaded)]
        self.assertEqual(levels[0]["scheduler"]["level"], "ok")
        self.assertEqual(levels[1]["scheduler"]["level"], "warn")
        self.assertIn("simple", levels[1]["scheduler"]["finding"])
        self.assertIn("sched_ext", levels[0]["kernel"]["finding"])
        self.assertEqual(levels[0]["btf"]["level"], "ok", levels[0]["btf"])


if __name__ == "__main__":
    unittest.main()
