"""Runs notebooks from top to bottom and stores their outputs in them, pictures included.

    python tools/run_notebooks.py notebooks/labels_to_phone.ipynb

Outputs are those of a machine without a GPU. What is left out of them: the chatter of libraries and warnings, progress
bars, and the folder that the notebook ran in.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from pathlib import Path

import nbclient
import nbformat
from rich.progress import track

_CHATTER = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|.*\r(?!\n)|^INFO:.*\n|^\d+-\d+-\d+ .*\n", re.MULTILINE)


def run(path: Path) -> None:
    """Runs a notebook in an empty folder, and replaces its outputs.

    Args:
        path: The notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed; the notebook is left as it was.
    """
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook, timeout=None, store_widget_state=False, resources={"metadata": {"path": folder}}
        )
        client.execute()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                tidied = (tidy(each, folder) for each in cell.outputs)
                cell.outputs = [each for each in tidied if each is not None]
                cell.metadata.pop("execution", None)  # when the cell ran
    nbformat.write(notebook, path)


def tidy(output: nbformat.NotebookNode, folder: str) -> nbformat.NotebookNode | None:
    """What a reader wants to see of an output.

    Args:
        output: One of a cell; changed in place.
        folder: The temporary folder, whose name is left out.

    Returns:
        The output, with pictures in the smallest of their formats, or `None` for chatter and empty ones.
    """
    if output.get("name") == "stderr":
        return None
    if "text" in output:
        output.text = readable(output.text, folder)
        return output if output.text.strip() else None
    kinds = output.data
    if "image/jpeg" in kinds:
        kinds.pop("image/png", None)
    kinds["text/plain"] = readable(kinds.get("text/plain", ""), folder)
    return output if kinds["text/plain"].strip() or len(kinds) > 1 else None


def readable(text: str, folder: str) -> str:
    """A text without terminal codes, overwritten lines, log lines and the name of a folder."""
    return _CHATTER.sub("", text).replace(f"{folder}{os.sep}", "").replace(folder, ".")


def main() -> None:
    """Runs the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", type=Path, nargs="+")
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    for path in track(parser.parse_args().notebooks, "Running"):
        run(path)


if __name__ == "__main__":
    main()
