# SPDX-License-Identifier: GPL-2.0-only
"""Which cgroup of this node gets which latency budget, by the annotations of its pods. Pure: documents in, a plan out.

The kubelet's names, on cgroup version 2 (POD is the pod's UID; it has had them since the systemd driver exists, and has them in
v1.28 and later): the slice of a pod is a child of the slice of its quality-of-service class, but for guaranteed pods.

    systemd    kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podPOD.slice        "-" in POD is "_" there
               kubepods.slice/kubepods-podPOD.slice                                           guaranteed
    cgroupfs   kubepods/burstable/podPOD
               kubepods/podPOD                                                                guaranteed

With --cgroup-root=/a/b all lie below: a.slice/a-b.slice/a-b-kubepods.slice/a-b-kubepods-burstable.slice/..., or a/b/kubepods/...
Containers are below the pod (cri-containerd-ID.scope, crio-ID.scope, ID), and have its budget by the scheduler's own rule: the
nearest ancestor with one counts.
"""
import re

ANNOTATION = "punctual/latency-budget"
# The pods of the kubelet's own folder: their cgroup is named by this, and not by the UID that the API server gave the mirror.
STATIC_UID = "kubernetes.io/config.hash"
MIRROR = "kubernetes.io/config.mirror"

# Of abi/sched.h: CLASSES_MAX, BUDGET_NS_MIN, BUDGET_NS_MAX.
CLASSES_MAX = 16
BUDGET_NS_MIN = 1_000
BUDGET_NS_MAX = 1_000_000_000

UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ns|us|ms|s)")
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
CLASSES = {"Guaranteed": "", "Burstable": "burstable", "BestEffort": "besteffort"}


def budget_ns(text):
    """Nanoseconds of "60us"; ValueError says what is wrong."""
    match = DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"'{text[:40]}' is no duration such as 60us or 1.5ms")
    ns = round(float(match[1]) * UNITS_NS[match[2]])
    if not BUDGET_NS_MIN <= ns <= BUDGET_NS_MAX:
        raise ValueError(f"'{text[:40]}' is not between 1us and 1s")
    return ns


def pod_uid(pod):
    """As the kubelet names the pod's cgroup; ValueError when the document has no such thing, which would be a path to anywhere."""
    metadata = pod["metadata"]
    annotations = metadata.get("annotations") or {}
    uid = annotations.get(STATIC_UID, "") if MIRROR in annotations else metadata["uid"]
    if not UID.fullmatch(uid):
        raise ValueError(f"its UID '{uid[:60]}' is none")
    return uid


def systemd_path(names):
    """a, b, c -> a.slice/a-b.slice/a-b-c.slice; a dash within a name would be a level, so the kubelet writes _ for it."""
    parts = [name.replace("-", "_") for name in names]
    return "/".join("-".join(parts[:depth + 1]) + ".slice" for depth in range(len(parts)))


def pod_cgroup(pod, driver, root="/"):
    """The pod's cgroup below the cgroup mount. driver: systemd or cgroupfs; root: --cgroup-root of the kubelet."""
    quality = CLASSES[pod["status"]["qosClass"]]
    names = [*[part for part in root.split("/") if part], "kubepods", *([quality] if quality else []), f"pod{pod_uid(pod)}"]
    return systemd_path(names) if driver == "systemd" else "/".join(names)


def is_over(pod):
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def plan(pods, driver, root="/", namespaces=(), least_ns=BUDGET_NS_MIN):
    """({cgroup: ns}, [complaints]): budgets of the pods that have one, at most CLASSES_MAX. Who came first has first call.

    namespaces: those whose pods may have one; none: all. least_ns: a shorter budget is refused.
    """
    budgets, complaints = {}, []
    asking = [pod for pod in pods if ANNOTATION in (pod["metadata"].get("annotations") or {}) and not is_over(pod)]
    for pod in sorted(asking, key=lambda pod: (pod["metadata"].get("creationTimestamp", ""), pod["metadata"].get("uid", ""))):
        metadata = pod["metadata"]
        name = f"pod {metadata.get('namespace')}/{metadata.get('name')}"
        try:
            if namespaces and metadata.get("namespace") not in namespaces:
                raise ValueError(f"pods of {metadata.get('namespace')} may not have a budget")
            ns = budget_ns(metadata["annotations"][ANNOTATION])
            if ns < least_ns:
                raise ValueError(f"its budget is shorter than {least_ns} ns, the least that is allowed here")
            path = pod_cgroup(pod, driver, root)
            if len(budgets) == CLASSES_MAX:
                raise ValueError(f"{CLASSES_MAX} pods of this node have a budget already")
            budgets[path] = ns
        except (KeyError, ValueError) as error:
            complaints.append(f"{name}: {error if isinstance(error, ValueError) else f'the document has no {error}'}")
    return budgets, complaints


def kubepods_cgroup(driver, root="/"):
    names = [*[part for part in root.split("/") if part], "kubepods"]
    return systemd_path(names) if driver == "systemd" else "/".join(names)


def find_driver(exists, root="/"):
    """Which driver the node's kubelet uses, by what there is below the cgroup mount; None when neither is there (yet)."""
    return next((driver for driver in ("systemd", "cgroupfs") if exists(kubepods_cgroup(driver, root))), None)
