"""The files that a release needs agree with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}
MAKEFILE = (ROOT / "Makefile").read_text()


def test_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["references"][0]["url"] == PROJECT["urls"]["Paper"]


def test_changelog_is_kept():
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## \[(.*?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.M)
    assert sections[0] == ("Unreleased", "")
    assert all(date for _, date in sections[1:])
    kinds = set(re.findall(r"^### (.*)$", text, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_classifiers_name_the_versions_that_are_tried():
    versions = WORKFLOWS["ci.yml"]["jobs"]["install"]["strategy"]["matrix"]["python"]
    assert [f"Programming Language :: Python :: {version}" for version in versions] == [
        each for each in PROJECT["classifiers"] if re.fullmatch(r".*Python :: 3\.\d+", each)
    ]
    assert PROJECT["requires-python"] == f">={versions[0]}"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_run_what_is_there(name):
    jobs = WORKFLOWS[name]["jobs"]
    lines = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert any(line.endswith(".ci/run") for line in lines)
    for target in (word for line in lines if line.startswith("make ") for word in line.split()[1:] if "=" not in word):
        assert re.search(rf"^{target}:", MAKEFILE, re.M), target
    for step in (step for job in jobs.values() for step in job["steps"]):
        assert ("run" in step) != ("uses" in step)
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/checkout@v4"))


@pytest.mark.parametrize("artefact", ["pages", "dist", "apk"])
def test_artefacts(artefact):
    uploads = [
        step["with"]["name"]
        for job in WORKFLOWS["ci.yml"]["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/upload-artifact")
    ]
    assert artefact in uploads


@pytest.mark.parametrize("form", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name)
def test_issue_forms(form):
    content = yaml.safe_load(form.read_text())
    if form.name == "config.yml":
        assert content == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= content.keys()
    for part in content["body"]:
        assert part["type"] in ("markdown", "textarea", "input", "dropdown", "checkboxes")
        assert "value" in part["attributes"] or "label" in part["attributes"]
