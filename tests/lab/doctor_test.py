# SPDX-License-Identifier: GPL-2.0-only
"""doctor on a machine that really has sched_ext: it says so, and notices a scheduler that is loaded."""
import json
import unittest

from guest import WALL, lab

SCRIPT = """
punctual doctor --json > /out.json; echo $?
cat /out.json; echo
punctual run scx_simple -- punctual doctor --json
echo confidentiality > /sys/kernel/security/lockdown
punctual doctor | grep -c ^fail.*confidentiality
for command in "run scx_simple -- true" "runq 1 1"; do punctual $command 2>&1; echo $?; done
"""


class Doctor(unittest.TestCase):
    def test_lab_kernel_is_ready_also_while_a_scheduler_is_loaded_and_not_when_locked_down(self):
        ended = lab("sh", "-c", SCRIPT, options=WALL)
        status, documents = ended.out.decode().split("\n", 1)
        self.assertEqual(status, "0", ended)
        idle, end = json.JSONDecoder().raw_decode(documents)
        loaded, locked = json.JSONDecoder().raw_decode(documents, documents.index("{", end))
        self.check_documents(idle, loaded)
        self.check_locked_down(documents[locked:].split("\n")[1:])

    def check_documents(self, idle, loaded):
        for document in (idle, loaded):
            self.assertEqual((document["schema"], document["version"]), ("punctual.doctor", 1))
            self.assertTrue(document["native_ready"], document)
        levels = [{check["name"]: check for check in document["checks"]} for document in (idle, loaded)]
        self.assertEqual(levels[0]["scheduler"]["level"], "ok")
        self.assertEqual(levels[1]["scheduler"]["level"], "warn")
        self.assertIn("simple", levels[1]["scheduler"]["finding"])
        self.assertIn("sched_ext", levels[0]["kernel"]["finding"])
        self.assertEqual(levels[0]["btf"]["level"], "ok", levels[0]["btf"])
        # What is read from this kernel's own files.
        self.assertEqual(levels[0]["preemption"]["finding"], "lazy")
        self.assertTrue(document["tracing_ready"], document)

    def check_locked_down(self, lines):
        """The kernel answers "Invalid argument" then; doctor and both loaders say why."""
        self.assertEqual(lines[0], "2", lines)  # neither a scheduler nor run-queue tracing
        for said, status in (lines[1:3], lines[3:5]):
            self.assertIn("locked down (confidentiality)", said, lines)
            self.assertEqual(status, "3", lines)


if __name__ == "__main__":
    unittest.main()
