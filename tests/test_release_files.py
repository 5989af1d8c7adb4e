"""The files that a release needs agree with the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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


def tool(name: str, *arguments: str) -> str:
    """What a program of this environment finds fault with; empty if with nothing."""
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr if answer.returncode else ""


SCHEMAS = {
    "github-workflows": sorted((ROOT / ".github/workflows").glob("*.yml")),
    "github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "github-issue-forms": sorted(set((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))),
    "citation-file-format": [ROOT / "CITATION.cff"],
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema):
    assert SCHEMAS[schema]
    assert tool("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, SCHEMAS[schema])) == ""


def test_a_workflow_with_a_slip_does_not_follow_its_schema(tmp_path):
    file = tmp_path / "ci.yml"
    file.write_text((ROOT / ".github/workflows/ci.yml").read_text().replace("runs-on:", "run-on:", 1))
    assert "run-on" in tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(file))


def test_workflows_are_secure():
    assert tool("zizmor", "--offline", "--no-progress", "--config", ".github/zizmor.yml", ".github/workflows") == ""


def test_insecure_workflows_are_found(tmp_path):
    file = tmp_path / "ci.yml"
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    file.write_text(text.replace("run: make dist", 'run: echo "${{ github.head_ref }}"'))
    assert "template-injection" in tool("zizmor", "--offline", "--no-progress", str(file))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_run_what_is_there(name):
    jobs = WORKFLOWS[name]["jobs"]
    lines = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert ".ci/run" in lines
    for line in lines:
        program, *arguments = line.split()
        match program:
            case "make":
                for target in (word for word in arguments if "=" not in word):
                    assert re.search(rf"^{target}:", MAKEFILE, re.M), target
            case "python":
                assert (ROOT / arguments[0]).is_file()
            case _:
                assert os.access(ROOT / program, os.X_OK), line
    for step in (step for job in jobs.values() for step in job["steps"]):
        assert ("run" in step) != ("uses" in step)
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/checkout@v4"))


@pytest.mark.parametrize("artefact", ["pages", "dist", "page", "app"])
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
