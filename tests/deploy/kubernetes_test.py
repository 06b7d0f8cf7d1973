# SPDX-License-Identifier: GPL-2.0-only
"""The manifest is the chart, keeps what it promises, and names fields that Kubernetes has.

Fields are those of the type declarations in the npm package kubernetes-models, made from the published OpenAPI document of
Kubernetes 1.27: names, types, and what is required; a field that is not there is an error. `make kubernetes-schemas` fetches them;
without them that one test is skipped. No cluster and no Helm have seen the files.
"""
import json
import os
import pathlib
import re
import subprocess
import unittest

import yaml

import chart
from expressions import ROOT

FOLDER = ROOT / "deploy/kubernetes"
MODELS = pathlib.Path(os.environ.get("KUBERNETES_MODELS", ROOT / "build/kubernetes"))


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def daemon_sets():
    return {document["metadata"]["name"]: document["spec"] for document in documents(chart.MANIFEST.read_text())
            if document["kind"] == "DaemonSet"}


def containers():
    return {container["name"]: container for spec in daemon_sets().values() for container in spec["template"]["spec"]["containers"]}


def added(container):
    return set(container["securityContext"]["capabilities"].get("add", []))


def capabilities_of(unit):
    lines = re.findall(r"^CapabilityBoundingSet=(.*)$", (ROOT / "deploy/systemd" / unit).read_text(), re.MULTILINE)
    return {word.removeprefix("CAP_") for line in lines for word in line.split()}


class Chart(unittest.TestCase):
    maxDiff = None

    def test_the_manifest_is_the_chart_with_its_defaults(self):
        self.assertEqual(chart.MANIFEST.read_text(), chart.HEAD + chart.render(), "run tests/deploy/chart.py --write")

    def test_every_value_is_used_and_changes_the_result(self):
        defaults = yaml.safe_load((chart.CHART / "values.yaml").read_text())
        other = {str: "other", int: 9999, list: ["other"], dict: {"scheduler": {}, "agent": {}, "serve": {}}}
        for name, value in defaults.items():
            self.assertNotEqual(chart.render({name: other[type(value)]}), chart.render(), name)

    def test_values_cannot_break_out_of_their_place(self):
        hostile = 'x"}\n  evil: {{ .Values.image }}'
        for name in ("image", "config", "nodeValue", "leastBudget", "cgroupRoot"):
            names = [document["metadata"]["name"] for document in documents(chart.render({name: hostile}))]
            self.assertEqual(len(names), 6, name)

    def test_an_action_that_the_renderer_does_not_know_is_an_error_and_not_text(self):
        for text in ("{{ if .Values.image }}", "{{ .Values.gone }}", "{{ toYaml .Values.image }}", "{{ .Values.image | quote }}"):
            with self.assertRaises((ValueError, KeyError)):
                chart.rendered(text, {"Values": {"image": "i"}})


class Promises(unittest.TestCase):
    def test_every_container_has_a_read_only_root_and_no_way_to_more_rights(self):
        self.assertEqual(set(containers()), {"scheduler", "agent", "serve"})
        for name, container in containers().items():
            context = container["securityContext"]
            self.assertTrue(context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], name)
            self.assertEqual((context["capabilities"]["drop"], context["seccompProfile"]), (["ALL"], {"type": "RuntimeDefault"}), name)
            self.assertNotIn("privileged", context)

    def test_capabilities_are_those_of_the_units_and_the_agent_has_none(self):
        self.assertEqual(added(containers()["agent"]), set())
        self.assertEqual(added(containers()["serve"]), capabilities_of("punctual-serve.service"))
        if (ROOT / "deploy/systemd/punctual.service").exists():
            self.assertEqual(added(containers()["scheduler"]), capabilities_of("punctual.service"))

    def test_only_the_agent_writes_cgroups_and_only_it_has_a_token(self):
        writes = {name for name, container in containers().items() for mount in container["volumeMounts"]
                  if mount["name"] == "cgroup" and not mount.get("readOnly")}
        tokens = {name for name, container in containers().items() for mount in container["volumeMounts"] if mount["name"] == "token"}
        self.assertEqual((writes, tokens), ({"agent"}, {"agent"}))
        for spec in daemon_sets().values():
            self.assertIs(spec["template"]["spec"]["automountServiceAccountToken"], False)
            self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & spec["template"]["spec"].keys())

    def test_the_cluster_is_only_read_and_only_pods(self):
        rules = [document["rules"] for document in documents(chart.MANIFEST.read_text()) if document["kind"] == "ClusterRole"]
        self.assertEqual(rules, [[{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]])

    def test_an_update_goes_node_by_node_and_waits_for_the_kernel(self):
        spec = daemon_sets()["punctual"]
        self.assertEqual(spec["updateStrategy"]["rollingUpdate"], {"maxUnavailable": 1, "maxSurge": 0})
        self.assertGreaterEqual(spec["minReadySeconds"], 60)
        self.assertEqual(containers()["scheduler"]["readinessProbe"]["exec"]["command"][-1], "/sys/kernel/sched_ext/state")
        self.assertGreaterEqual(spec["template"]["spec"]["terminationGracePeriodSeconds"], 20)

    def test_only_nodes_with_the_label_get_the_scheduler_and_all_are_measured(self):
        sets = daemon_sets()
        self.assertEqual(sets["punctual"]["template"]["spec"]["nodeSelector"], {"kubernetes.io/os": "linux", "punctual/rollout": "treated"})
        self.assertEqual(sets["punctual-serve"]["template"]["spec"]["nodeSelector"], {"kubernetes.io/os": "linux"})

    def test_every_container_has_probes_and_every_volume_is_there(self):
        for name, container in containers().items():
            self.assertIn("livenessProbe", container, name)
        for spec in daemon_sets().values():
            pod = spec["template"]["spec"]
            mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
            self.assertEqual(mounted, {volume["name"] for volume in pod["volumes"]})
            self.assertLessEqual(spec["selector"]["matchLabels"].items(), spec["template"]["metadata"]["labels"].items())

    def test_commands_are_ones_that_the_programs_have(self):
        agent = subprocess.run([FOLDER / "agent/agent.py", "--help"], capture_output=True, text=True, check=True).stdout
        for option in [word for word in containers()["agent"]["args"] if word.startswith("--")]:
            self.assertIn(option, agent)
        shown = subprocess.run([os.environ.get("PUNCTUAL", ROOT / "build/punctual"), "--help"], capture_output=True, text=True, check=True).stdout
        for container in containers().values():
            if container["command"][0] == "punctual":
                self.assertRegex(shown, rf"(?m)^  {container['command'][1]} ")


class Declarations:
    """Fields of Kubernetes objects as the package declares them, read when they are needed."""

    def __init__(self, folder):
        self.folder = folder
        self.found = {}

    def fields(self, path):
        """{field: (type, required)} and the file's imports {name: path}, of the file's one interface."""
        if path not in self.found:
            text = path.read_text()
            body = re.search(r"export interface \w+(?: extends \w+)? \{\n(.*?)\n\}", text, re.DOTALL)
            types = {name: (kind, not optional) for name, optional, kind in
                     re.findall(r'^    "([^"]+)"(\??): (\{.*?\n    \}|.*?);$', re.sub(r"/\*.*?\*/", "", body[1], flags=re.DOTALL),
                                re.MULTILINE | re.DOTALL)} if body else None
            imports = {name: self.place(path, module) for names, module in re.findall(r'import \{ (.*?) \} from "([^"]+)"', text)
                       for name in names.split(", ")}
            self.found[path] = (types, imports)
        return self.found[path]

    def place(self, path, module):
        if module.startswith("@kubernetes-models/apimachinery/"):
            return self.folder / "apimachinery" / (module.split("/", 2)[2] + ".d.ts")
        return (path.parent / (module + ".d.ts")) if module.startswith(".") else None

    def errors(self, value, kind, imports, where):
        """What is wrong with a value of that declared type, as lines."""
        array = re.fullmatch(r"Array<(.*)>|(.*)\[\]", kind)
        if array:
            if not isinstance(value, list):
                return [f"{where}: a list is wanted"]
            return [line for at, one in enumerate(value) for line in self.errors(one, array[1] or array[2], imports, f"{where}[{at}]")]
        if kind in imports and imports[kind] and imports[kind].exists():
            types, inner = self.fields(imports[kind])
            if types is not None:
                return self.object_errors(value, types, inner, where)
            kind = "string | number"   # IntOrString, Quantity
        table = re.fullmatch(r"\{\s*\[key: string\]: (.*?);?\s*\}", kind, re.DOTALL)
        if table:
            if not isinstance(value, dict):
                return [f"{where}: an object is wanted"]
            return [line for name, one in value.items() for line in self.errors(one, table[1], imports, f"{where}.{name}")]
        plain = {"string": str, "number": (int, float), "boolean": bool}
        names = [name for name in kind.split(" | ") if name in plain]
        if names and not any(isinstance(value, plain[name]) and (name == "boolean") == isinstance(value, bool) for name in names):
            return [f"{where}: {value!r} is no {kind}"]
        literals = re.findall(r'"([^"]*)"', kind) if kind.startswith('"') else []
        return [f"{where}: {value!r} is none of {literals}"] if literals and value not in literals else []

    def object_errors(self, value, types, imports, where):
        if not isinstance(value, dict):
            return [f"{where}: an object is wanted"]
        wrong = [f"{where}: no field {name}" for name in value if name not in types]
        wrong += [f"{where}: {name} is required" for name, (_, required) in types.items() if required and name not in value]
        return wrong + [line for name in value if name in types
                        for line in self.errors(value[name], types[name][0], imports, f"{where}.{name}")]

    def document_errors(self, document):
        group, _, version = document["apiVersion"].rpartition("/")
        path = self.folder / "models" / group / version / f"{document['kind']}.d.ts"
        return self.object_errors(document, *self.fields(path), document["kind"])


@unittest.skipUnless((MODELS / "models").is_dir(), "no declarations of Kubernetes here: make kubernetes-schemas")
class Fields(unittest.TestCase):
    def test_every_field_is_one_of_kubernetes(self):
        declared = Declarations(MODELS)
        for document in documents(chart.MANIFEST.read_text()):
            self.assertEqual(declared.document_errors(document), [])

    def test_a_wrong_name_a_wrong_type_and_a_missing_field_are_found(self):
        declared = Declarations(MODELS)
        good = next(document for document in documents(chart.MANIFEST.read_text()) if document["kind"] == "DaemonSet")
        for path, value, said in ((["spec", "template", "spec", "hostPid"], True, "no field hostPid"),
                                  (["spec", "minReadySeconds"], "60", "is no number"),
                                  (["spec", "template", "spec", "containers"], {}, "a list is wanted"),
                                  (["spec", "selector"], None, "selector"),
                                  (["spec", "template", "spec", "containers", 0, "securityContext", "readonlyRootFilesystem"], True, "no field"),
                                  (["spec", "template", "spec", "tolerations", 0, "key"], 1, "is no string")):
            broken = json.loads(json.dumps(good))
            inner = broken
            for part in path[:-1]:
                inner = inner[part]
            if value is None:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            self.assertIn(said, "\n".join(declared.document_errors(broken)), path)


if __name__ == "__main__":
    unittest.main()
