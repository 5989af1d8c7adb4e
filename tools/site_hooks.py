"""What MkDocs cannot do by itself for the pages: include files of the repository, list errors and public names.

Markers in the pages, each on a line of its own:

- `<!-- include -->` above a link to a file outside of `docs/`: the file takes their place, without its title.
- `<!-- errors -->`: every error message with its remedy.
- `<!-- names keras_segformer.data -->`: the documentation of every public name of a package.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import error_messages  # noqa: E402
import syntax_trees  # noqa: E402

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "android_demo/README.md": "android.md",
    "conversion/README.md": "conversion.md",
}
"""Where files of the repository stand among the pages."""

COPIES = {"keras_segformer/presets/bundled/b0_camvid/curve.png": "images/b0_camvid_curve.png"}
"""Pictures from outside of `docs/`."""

_INCLUDE = re.compile(r"^<!-- include -->\n\[.*?\]\((.*?)\)$", re.M)
_NAMES = re.compile(r"^<!-- names (\S+) -->$", re.M)
_LINK = re.compile(r"(\]\(|src=\")([^)\s\"#]+)(#[^)\"]*)?([)\"])")
_TARGET = re.compile(r"\[([^\]]*)\]\(outside:[^)]*\)")


def on_files(files: Any, config: Any) -> Any:
    """Adds the pictures from outside of `docs/`."""
    for source, target in COPIES.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fills in what the markers stand for, and lets links to files of the repository lead to their pages."""
    place = posixpath.dirname(page.file.src_uri)
    return fill_in(markdown, place)


def fill_in(markdown: str, place: str = "") -> str:
    """Fills in what the markers of a page stand for.

    Args:
        markdown: The page.
        place: The folder of the page, relative to `docs/`.

    Returns:
        The page as MkDocs is to see it.
    """
    markdown = _INCLUDE.sub(lambda match: _included(posixpath.normpath(f"docs/{place}/{match[1]}"), place), markdown)
    markdown = _relinked(markdown, f"docs/{place}", place)
    markdown = markdown.replace("<!-- errors -->", error_messages.table(error_messages.collect()))
    return _NAMES.sub(lambda match: _documented(match[1]), markdown)


def public_names(package: str) -> dict[str, str]:
    """Finds the public names of a package and where they are defined.

    Args:
        package: Its dotted path, such as `"keras_segformer.data"`.

    Returns:
        The path of the definition by name; modules are left out.
    """
    path = package.replace("keras_segformer.conversion", "conversion")
    stub = ROOT / path.replace(".", "/") / "__init__.pyi"
    if stub.exists():
        body = syntax_trees.parse(stub.read_text(encoding="utf-8")).body
        nodes = [node for node in body if isinstance(node, ast.ImportFrom)]
        return {each.name: f"{path}.{node.module}.{each.name}" for node in nodes if node.module for each in node.names}
    source = syntax_trees.parse((ROOT / f"{path.replace('.', '/')}.py").read_text(encoding="utf-8"))
    assigned = [node for node in source.body if isinstance(node, ast.Assign)]
    [listed] = [node.value for node in assigned if ast.unparse(node.targets[0]) == "__all__"]
    return {name: f"{path}.{name}" for name in ast.literal_eval(listed)}


def _documented(package: str) -> str:
    """Directives of mkdocstrings under the public path of every name."""
    return "\n\n".join(
        f'::: {path}\n    options:\n      heading: "{package}.{name}"\n      toc_label: "{name}"'
        for name, path in sorted(public_names(package).items(), key=lambda item: item[0].lower())
    )


def _included(source: str, place: str) -> str:
    """A file of the repository without its title, its links as a page in this folder has them."""
    text = (ROOT / source).read_text(encoding="utf-8")
    text = re.sub(r"\A#[^#\n].*\n+", "", text)
    return _relinked(text, posixpath.dirname(source), place)


def _relinked(text: str, folder: str, place: str) -> str:
    """Text whose links, relative to a folder of the repository, lead to pages; other files lose their links."""

    def relinked(match: re.Match[str]) -> str:
        start, target, fragment, end = match[1], match[2], match[3] or "", match[4]
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = posixpath.normpath(f"{folder}/{target}")
        page = PAGES.get(path) or COPIES.get(path)
        if page is None and path.startswith("docs/"):
            page = path.removeprefix("docs/")
        if page is None:
            return f"{start}outside:{path}{end}"
        return f"{start}{posixpath.relpath(page, place or '.')}{fragment}{end}"

    return _TARGET.sub(r"\1", _LINK.sub(relinked, text))
