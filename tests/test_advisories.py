"""The lowest versions that pyproject.toml allows, against published vulnerabilities."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TABLE = json.loads((ROOT / ".ci/advisories.json").read_text(encoding="utf-8"))
REQUIRED = [Requirement(text) for text in PROJECT["dependencies"]]
OPTIONAL = [Requirement(text) for texts in PROJECT["optional-dependencies"].values() for text in texts]


def lowest(package: str) -> Version:
    """The lowest version of a package that any of its requirements allows."""
    found = [each for each in (*REQUIRED, *OPTIONAL) if canonicalize_name(each.name) == canonicalize_name(package)]
    bounds = [bound for requirement in found for bound in requirement.specifier if bound.operator == ">="]
    return min(Version(bound.version) for bound in bounds)


def test_every_dependency_has_been_looked_up():
    assert set(map(canonicalize_name, TABLE["packages"])) == {canonicalize_name(each.name) for each in REQUIRED}


@pytest.mark.parametrize("advisory", TABLE["advisories"], ids=lambda advisory: advisory["id"])
def test_advisories_have_an_answer(advisory):
    assert advisory["source"].startswith("https://")
    allowed = SpecifierSet(advisory["affected"]).contains(lowest(advisory["package"]))
    if advisory["answer"] == "floor":
        assert not allowed, f"raise the floor of {advisory['package']}"
    elif advisory["answer"] == "refused":
        file, _, name = advisory["test"].partition("::")
        assert re.search(rf"^ *def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    else:
        assert advisory["answer"] in ("unreached", "open")
        assert advisory["note"]


def test_a_floor_that_is_too_low_is_found():
    [advisory] = [each for each in TABLE["advisories"] if each["id"] == "CVE-2026-22701"]
    assert SpecifierSet(advisory["affected"]).contains("3.12")
