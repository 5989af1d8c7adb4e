"""`android_demo/tools/benchmark_table.py`: what it refuses, and the table that it renders."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[2] / "android_demo/tools"
CPU = {
    "model": "b0_camvid",
    "sha256": "ab" * 32,
    "precision": "int8",
    "processor": "CPU",
    "threads": 4,
    "warmup": 10,
    "runs": 50,
    "load_ms": 12.5,
    "phases": {"inference": {"p50_ms": 96.04, "p90_ms": 101.0, "count": 50}},
    "agreement": None,
    "thermal_before": "NONE",
    "thermal_after": "SEVERE",
    "error": None,
}
GPU = CPU | {
    "precision": "float16",
    "processor": "GPU",
    "runtime": "2.16.1",
    "threads": None,
    "phases": {"inference": {"p50_ms": 24.0, "p90_ms": 26.4, "count": 50}},
    "agreement": 0.9964,
    "thermal_after": "LIGHT",
}
FAILED = GPU | {"processor": "NNAPI", "phases": {}, "error": "no NNAPI"}
DEVICE = {
    "manufacturer": "maker",
    "model": "phone",
    "hardware": "board",
    "android": "15",
    "sdk": 35,
    "abi": "arm64-v8a",
    "cores": 8,
    "runtime": "2.21.0",
    "app": "0.1.0",
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("benchmark_table")


def write(folder: Path, *entries: dict) -> Path:
    path = folder / "report.json"
    report = {"device": DEVICE, "started_at": "2026-01-02T03:04:05Z", "entries": list(entries)}
    path.write_text(json.dumps(report))
    return path


def test_the_fastest_comes_first_and_heat_is_marked(tool, tmp_path, capsys):
    assert tool.main([str(write(tmp_path, CPU, GPU, FAILED))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "| maker phone | board | 15 | b0_camvid float16 | GPU | 24.0 | 26.4 | 0.996 | 0.1.0, 2.16.1 | 2026-01-02 |",
        "| maker phone | board | 15 | b0_camvid int8 | CPU, threads: 4 | 96.0 (hot) | 101.0 | – | 0.1.0, 2.21.0 "
        "| 2026-01-02 |",
    ]


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("runs", 3, "at least 20 runs"),
        ("agreement", 0.61, "computes wrong results"),
        ("agreement", None, "computes wrong results"),
        ("agreement", "0.99", "share from 0 to 1"),
        ("agreement", float("nan"), "share from 0 to 1"),
        ("agreement", True, "share from 0 to 1"),
        ("phases", {}, "object `inference`"),
        ("phases", [], "object `inference`"),
        ("phases", None, "object `inference`"),
        ("phases", {"inference": 24.0}, "object `inference`"),
        ("phases", {"inference": {"p50_ms": True, "p90_ms": True}}, "times above 0"),
        ("phases", {"inference": {"p50_ms": 9, "p90_ms": float("inf")}}, "times above 0"),
        ("phases", {"inference": {"p50_ms": 9, "p90_ms": 8}}, "times above 0"),
        ("model", "a | b", "name of a model"),
        ("processor", "TPU", "unknown precision or processor"),
        ("sha256", "12", "checksum"),
        ("sha256", None, "checksum"),
        ("model", None, "name of a model"),
        ("runs", "50", "at least 20 runs"),
        ("runs", True, "at least 20 runs"),
        ("runtime", "2.16.1\n| row |", "`runtime` must be a version"),
        ("runtime", "[here](https://example.com)", "`runtime` must be a version"),
        ("runtime", 2.16, "`runtime` must be a version"),
        ("threads", "4 | x", "`threads` must be a whole number"),
        ("threads", 0, "`threads` must be a whole number"),
        ("threads", True, "`threads` must be a whole number"),
        ("thermal_after", ["SEVERE"], "`thermal_after` must be the name"),
    ],
)
def test_refuses(tool, tmp_path, capsys, key, value, fault):
    assert tool.main([str(write(tmp_path, copy.deepcopy(GPU) | {key: value}))]) == 1
    assert fault in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a\nb",
        "[phone](https://example.com)",
        "<img src=x>",
        "a `b`",
        "https://example.com",
        "*phone*",
        "![x](y)",
        "\\",
        7,
        None,
    ],
)
@pytest.mark.parametrize("key", ["manufacturer", "model", "hardware", "android", "runtime", "app"])
def test_refuses_text_that_the_page_would_not_show_as_it_is(tool, tmp_path, capsys, key, text):
    path = write(tmp_path, GPU)
    report = json.loads(path.read_text())
    path.write_text(json.dumps(report | {"device": DEVICE | {key: text}}))
    assert tool.main([str(path)]) == 1
    assert "one line of plain text" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["SM-S931B (Galaxy S25)", "삼성 갤럭시", "MT6989, 3.25 GHz", "Pixel 9a/+"])
def test_takes_names_of_phones_in_any_script(tool, tmp_path, capsys, text):
    path = write(tmp_path, GPU)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"device": DEVICE | {"model": text}}))
    assert tool.main([str(path)]) == 0
    assert f"| maker {text} |" in capsys.readouterr().out


def test_refuses_what_is_no_report(tool, tmp_path, capsys):
    path = tmp_path / "report.json"
    for content in ("[]", "{", '{"device": {}}', "null"):
        path.write_text(content)
        assert tool.main([str(path)]) == 1
    assert tool.main([str(write(tmp_path, FAILED))]) == 1
    assert "it has no measurement" in capsys.readouterr().err


def test_updates_the_page(tool, tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"# Phones\n{tool.BEGIN}\nold\n{tool.END}\nrest\n", encoding="utf-8")
    write(tmp_path, GPU)
    assert tool.main(["--update", "--folder", str(tmp_path)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Phones\n")
    assert text.endswith("rest\n")
    assert "maker phone" in text
    assert "old" not in text


def test_the_page_shows_all_reports(tool, tmp_path):
    page = tool.FOLDER / "README.md"
    reports = sorted(tool.FOLDER.glob("*.json"))
    assert not [fault for path in reports for fault in tool.check(path)]
    rows = [row for path in reports for row in tool.rows(json.loads(path.read_text(encoding="utf-8")))]
    assert f"{tool.BEGIN}\n{tool.render(rows)}{tool.END}" in page.read_text(encoding="utf-8")
