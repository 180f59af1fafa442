"""`environment.yml` gives conda users the versions of the lock; run as a module it prints what the file must be."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]


def locked() -> dict[str, str]:
    """Locked version by name, for Python 3.11 on Linux."""
    versions: dict[str, str] = {}
    environment = {"python_version": "3.11", "python_full_version": "3.11.9", "sys_platform": "linux"}
    for line in re.findall(r"^[a-z].*==.*$", (ROOT / "requirements.lock").read_text(), re.MULTILINE):
        requirement = Requirement(line.removesuffix("\\").strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            versions[requirement.name] = str(requirement.specifier).removeprefix("==")
    return versions


def expected() -> str:
    versions = locked()
    head = ["name: squash", "channels:", "  - conda-forge", "dependencies:", "  - python=3.11", "  - pip", "  - pip:"]
    pins = [f"      - {str(r).split('>')[0].split('=')[0].split('<')[0]}=={versions[r.name]}" for r in requirements()]
    return "\n".join([*head, *pins, "      - --editable ."]) + "\n"


def test_environment_has_the_locked_versions() -> None:
    assert (ROOT / "environment.yml").read_text() == expected(), "run 'make lock'"


def test_lock_satisfies_the_project() -> None:
    versions = locked()
    for requirement in requirements():
        assert requirement.specifier.contains(versions[requirement.name]), f"{requirement} is locked otherwise"


def test_lock_names_no_index_and_hashes_all() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "index" not in text
    for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


if __name__ == "__main__":
    print(expected(), end="")
