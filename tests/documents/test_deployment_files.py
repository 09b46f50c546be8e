"""The files under deploy/: parsed, and held to what they promise (not root, read-only, no egress, probes)."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
LOCK = DEPLOY.parent / "requirements" / "lock.txt"
sys.path.insert(0, str(DEPLOY))
try:
    from select_requirements import select  # type: ignore[import-not-found]
finally:
    sys.path.pop(0)


def documents(name: str) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8"))]


def pods() -> list[tuple[str, dict[str, Any]]]:
    deployment = next(one for one in documents("kubernetes.yaml") if one["kind"] == "Deployment")
    service = documents("kserve.yaml")[0]
    return [("kubernetes", deployment["spec"]["template"]["spec"]), ("kserve", service["spec"]["predictor"])]


@pytest.mark.parametrize(("name", "pod"), pods())
def test_containers_are_not_root_cannot_write_and_have_probes_and_limits(
    name: str, pod: dict[str, Any]
) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert {"readinessProbe", "livenessProbe"} <= container.keys() and "memory" in container["resources"][
        "limits"
    ]
    assert "--token-file" in container["args"]
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_kubernetes_lets_nothing_out() -> None:
    policy = next(one for one in documents("kubernetes.yaml") if one["kind"] == "NetworkPolicy")
    assert "Egress" in policy["spec"]["policyTypes"] and policy["spec"]["egress"] == []


def test_compose_is_read_only_and_bound_to_loopback() -> None:
    (compose,) = documents("compose.yaml")
    service = compose["services"]["headtohead"]
    assert (
        service["read_only"] is True and service["cap_drop"] == ["ALL"] and service["user"] == "10001:10001"
    )
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert all(volume.endswith(":ro") for volume in service["volumes"])
    assert {*service["secrets"]} == {*compose["secrets"]} and {*service["networks"]} == {*compose["networks"]}


def test_the_image_runs_as_a_user_and_checks_readiness() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    words = [line.split()[0] for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    assert words.count("FROM") == 2 and words.index("USER") > max(
        i for i, w in enumerate(words) if w == "COPY"
    )
    assert "--require-hashes" in text and "HEALTHCHECK" in text and "/readyz" in text
    copied = re.findall(r"^COPY (?!--from)(.+)", text, re.MULTILINE)

    for source in " ".join(copied).split():
        if not source.endswith("/"):
            assert (DEPLOY.parent / source).exists() or source == "./"


def test_the_unit_confines_the_service() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "headtohead.service", encoding="utf-8")
    service = unit["Service"]
    assert service["DynamicUser"] == "yes" and service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes" and service["CapabilityBoundingSet"] == ""
    assert "--host 127.0.0.1" in service["ExecStart"] and "--token-file %d/token" in service["ExecStart"]


def test_the_ray_serve_file_is_python_that_names_its_app() -> None:
    tree = ast.parse((DEPLOY / "ray_serve.py").read_text(encoding="utf-8"))
    names = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}  # type: ignore[attr-defined]
    assert "app" in names


def test_the_image_without_torch_has_every_package_that_its_packages_need() -> None:
    text = (DEPLOY / "onnx-packages.txt").read_text(encoding="utf-8")
    listed = {line for line in text.splitlines() if line and not line.startswith("#")}
    assert not listed & {"torch", "timm", "transformers"}
    for name in listed:
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert re.sub(r"[-_.]+", "-", needed.name).lower() in listed, f"{name} needs {needed.name}"


def test_its_versions_and_hashes_come_from_the_lock() -> None:
    lock = LOCK.read_text(encoding="utf-8")
    chosen = select(lock, (DEPLOY / "onnx-packages.txt").read_text(encoding="utf-8"))
    assert chosen.count("==") >= 40 and "onnxruntime==" in chosen and "torch==" not in chosen
    assert all(line in lock for line in chosen.splitlines())
    with pytest.raises(SystemExit, match="no-such-package"):
        select(lock, "no-such-package\n")
