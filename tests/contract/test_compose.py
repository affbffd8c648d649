"""The production shape is a valid Compose file, and sets what the code reads."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The Compose file with its YAML anchors resolved."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_the_compose_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    PyCompose.from_json(json.dumps(compose)).validate()


def test_a_misspelled_key_would_be_seen(compose: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(compose))
    broken["services"]["hub"]["imag"] = "amihub"

    with pytest.raises(ValueError, match="imag"):
        PyCompose.from_json(json.dumps(broken))


def test_every_secret_of_the_example_site_is_set_for_the_hub(compose: dict[str, Any]) -> None:
    text = re.sub(r"#.*", "", (ROOT / "site.example.toml").read_text())
    wanted = set(re.findall(r'"env:([A-Z_]+)"', text))

    for name in ("hub", "prepare", "airflow-worker", "airflow-scheduler"):
        environment = compose["services"][name]["environment"]
        assert wanted <= set(environment), name
        assert environment["AMIHUB_SITE"] == "/etc/amihub/site.toml"


def test_no_secret_stands_in_the_compose_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    for line in re.findall(r"^.*(?:PASSWORD|SECRET|FERNET)[A-Z_]*: .*$", text, flags=re.MULTILINE):
        assert "${" in line, line


def test_every_service_that_the_hub_needs_is_there(compose: dict[str, Any]) -> None:
    services = set(compose["services"])

    assert {"postgres", "rabbitmq", "sftp", "hub", "prepare"} <= services
    assert {
        "airflow-api",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "airflow-worker",
    } <= services
    for service in compose["services"].values():
        assert set(service.get("depends_on") or {}) <= services


def test_the_files_that_the_compose_file_mounts_or_builds_from_are_there(compose: dict[str, Any]) -> None:
    for path in ("Dockerfile", "deploy/postgres-init.sh", "deploy/sftp.Dockerfile", "deploy/sshd_config"):
        assert (ROOT / path).exists(), path
    assert compose["services"]["sftp"]["build"]["dockerfile"] == "deploy/sftp.Dockerfile"


def test_the_image_installs_the_locked_dependencies_of_every_process() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    locked = (ROOT / "requirements.lock").read_text()

    for requirement in extras["production"]:
        name = re.split(r"[>=<;\[]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==", locked, flags=re.MULTILINE), name
