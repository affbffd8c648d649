"""The import rules hold, and each of them is broken by an import that it forbids."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "canonical",
    "iec61968",
    "sftp",
    "messaging",
    "store",
    "adapters",
    "flows",
    "services",
    "simulators",
)

VIOLATIONS = {
    "Every arrow points down": ("canonical/intruder_layers.py", "import store.session"),
    "Flows speak canonical only": ("flows/intruder_wire.py", "import sftp.manifest"),
    "Adapters keep no state": ("adapters/cis_flatfile/intruder_state.py", "import store.session"),
    "Adapters do not know each other": (
        "adapters/cis_flatfile/intruder_sibling.py",
        "import adapters.mdms_cim.adapter",
    ),
    "Simulators share no code with the hub": ("simulators/intruder_hub.py", "import canonical.ids"),
    "The hub shares no code with the simulators": (
        "services/intruder_simulator.py",
        "import simulators.city",
    ),
    "paramiko stays in sftp": ("adapters/cis_flatfile/intruder_ssh.py", "import paramiko"),
    "pika stays in messaging": ("flows/intruder_broker.py", "import pika"),
    "SQL stays in store": ("flows/intruder_sql.py", "import sqlalchemy"),
    "zeep stays in iec61968": ("adapters/mdms_cim/intruder_soap.py", "import zeep"),
    "numpy stays in codecs": ("flows/intruder_numpy.py", "import numpy"),
    "Canonical is the standard library alone": ("canonical/intruder_library.py", "import pydantic"),
    "No cycles inside a package": ("canonical/intruder_cycle.py", "import canonical.metering"),
    "Airflow stays in services.airflow_*": ("flows/intruder_airflow.py", "import airflow"),
}
CYCLE_BACK = ("canonical/metering.py", "\nimport canonical.intruder_cycle  # noqa\n")


def _lint(folder: Path) -> str:
    """Run the import linter over a tree and return what it prints."""
    run = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of each rule in a copy of the tree that breaks every rule."""
    folder = tmp_path_factory.mktemp("broken")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")
    for path, line in VIOLATIONS.values():
        (folder / path).write_text(f'"""Breaks a rule on purpose."""\n\n{line}\n')
    with (folder / CYCLE_BACK[0]).open("a") as file:
        file.write(CYCLE_BACK[1])
    return dict(re.findall(r"^(.+?) (KEPT|BROKEN)", _lint(folder), flags=re.MULTILINE))


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_each_import_rule_is_broken_by_an_import_that_it_forbids(rule: str, verdicts: dict[str, str]) -> None:
    assert verdicts[rule] == "BROKEN"


def test_every_rule_of_the_project_has_its_violation() -> None:
    names = set(re.findall(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE))

    assert names - {"amihub"} == set(VIOLATIONS)


def test_root_packages_resolve_inside_the_checkout() -> None:
    import importlib

    for package in PACKAGES:
        found = Path(str(importlib.import_module(package).__file__))

        assert found.is_relative_to(ROOT), f"{package} resolves to {found}"


def test_no_dag_file_bears_the_name_of_a_package() -> None:
    """Airflow puts the DAG folder on sys.path, so that such a file would hide the package."""
    assert not {file.stem for file in (ROOT / "dags").glob("*.py")} & (set(PACKAGES) | set(sys.stdlib_module_names))
