"""What is added to the pages when they are built."""

from __future__ import annotations

import pytest

pytest.importorskip("mkdocs")

from public_names import PUBLIC
from site_hooks import COPIES, PAGES, ROOT, fill_in, public_names


@pytest.mark.parametrize("package", PUBLIC)
def test_public_names_are_those_of_the_table(package):
    modules = {path.rpartition(".")[2] for path in PUBLIC if path.rpartition(".")[0] == package}
    assert public_names(package).keys() == set(PUBLIC[package]) - modules


def test_every_package_has_a_page():
    pages = {path.stem for path in (ROOT / "docs/api").glob("*.md")}
    assert pages == {package.partition(".")[2] or "index" for package in PUBLIC}


def test_names_are_documented_under_their_public_path():
    filled = fill_in("<!-- names keras_segformer.conversion -->", "api")
    assert '::: conversion.convert.convert\n    options:\n      heading: "keras_segformer.conversion.convert"' in filled


def test_files_are_included_without_their_title():
    filled = fill_in("# Title\n\n<!-- include -->\n[SECURITY.md](../SECURITY.md)\n")
    assert filled.startswith("# Title\n\n## What is promised")
    assert "# Security" not in filled


def test_links_lead_to_the_pages():
    text = "[a](../conversion/README.md#measured) [b](../CONTRIBUTING.md) [c](convert.md) [d](https://example.com/x)"
    assert (
        fill_in(text) == "[a](conversion.md#measured) [b](contributing.md) [c](convert.md) [d](https://example.com/x)"
    )
    assert fill_in("[a](../convert.md)", "api") == "[a](../convert.md)"


def test_links_to_other_files_become_text():
    assert fill_in("see [the licence](../LICENSE).") == "see the licence."


@pytest.mark.parametrize("source", [*PAGES, *COPIES])
def test_sources_are_there(source):
    assert (ROOT / source).is_file()


def test_errors_are_listed():
    assert fill_in("<!-- errors -->").count("`InvalidDatasetError` |") > 50
