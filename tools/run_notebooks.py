"""Runs notebooks from top to bottom and stores their outputs in them, pictures included.

    python tools/run_notebooks.py notebooks/labels_to_phone.ipynb

Outputs are those of a machine without a GPU and a network: the notebooks whose data everybody has to bring or download
run on pictures that `labels_to_phone.ipynb` draws, for a few steps, and say so under "Parameters". What is left out of
the outputs: the chatter of libraries and warnings, progress bars, and the folder that the notebook ran in.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image
from rich.progress import track

_CHATTER = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|.*\r(?!\n)|^INFO:.*\n|^\d+-\d+-\d+ .*\n", re.MULTILINE)


MOST_PNG = 100_000
"""Characters of a picture beyond which it is stored as a JPEG."""

_DRAWN = {"DATA": "outputs/labelled/data"}
_SPLITS = {"train_split": "train[:80%]", "validation_split": "train[80%:]"}

OTHER_PARAMETERS: dict[str, dict[str, Any]] = {
    "fine_tune_your_own": {
        **_DRAWN,
        "TRAIN": _SPLITS["train_split"],
        "VALIDATION": _SPLITS["validation_split"],
        "PRESET": "b0_camvid",
        "CROP": (128, 160),
        "EPOCHS": 3,
        "STEPS_PER_EPOCH": 25,
    },
    "labels_to_phone": {},
    "train_colab_kaggle": {
        "CHANGES": {
            "dataset": "folder",
            **_SPLITS,
            "initial": "b0_camvid",
            "augmentation.crop_size": [128, 160],
            "augmentation.base_size": [320, 256],
            "batch_size": 8,
            "steps": 100,
            "steps_per_epoch": 25,
            "schedule.warmup_steps": 10,
            "validation_size": [256, 320],
            "validation_batch_size": 4,
        },
        **_DRAWN,
        "TFLITE_SIZE": (256, 320),
    },
}
"""What the stored outputs were made with, by notebook."""


def run(path: Path) -> None:
    """Runs a notebook in an empty folder, and replaces its outputs.

    Args:
        path: The notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed; the notebook is left as it was.
    """
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    others = OTHER_PARAMETERS[path.stem]
    title, parameters = cells_of_parameters(notebook)
    usual = parameters.source
    with tempfile.TemporaryDirectory() as folder:
        if others:
            _draw(path.with_name("labels_to_phone.ipynb"), folder)
            parameters.source += "".join(f"\n{name} = {value!r}" for name, value in others.items())
        _execute(notebook, folder)
        parameters.source = usual
        title.source = about_parameters(path.stem)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                tidied = (tidy(each, folder) for each in cell.outputs)
                cell.outputs = [each for each in tidied if each is not None]
                cell.metadata.pop("execution", None)  # when the cell ran
    nbformat.write(notebook, path)


def about_parameters(name: str) -> str:
    """The Markdown above the parameters of a notebook.

    Args:
        name: The stem of the notebook.

    Returns:
        A title, and which other values the stored outputs were made with.
    """
    values = [f"{key} = {value!r}" for key, value in OTHER_PARAMETERS[name].items()]
    if not values:
        return "## Parameters"
    return "\n".join(
        [
            "## Parameters",
            "",
            "The outputs that are stored in this file come from few steps on two CPU cores: they show what each cell "
            "does, and not what the network can. They were made with the bolts, nuts and coins that "
            "`labels_to_phone.ipynb` draws and these values:",
            "",
            "```python",
            *values,
            "```",
        ]
    )


def cells_of_parameters(notebook: nbformat.NotebookNode) -> tuple[nbformat.NotebookNode, nbformat.NotebookNode]:
    """Finds where a notebook has its parameters.

    Args:
        notebook: The notebook.

    Returns:
        The Markdown above the cell, and the cell, which is tagged.
    """
    [at] = [index for index, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    return notebook.cells[at - 1], notebook.cells[at]


def _draw(path: Path, folder: str) -> None:
    """Runs the cells of a notebook that draw an export and import it."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    [last] = [index for index, cell in enumerate(notebook.cells) if "import_labels(export" in cell.source]
    notebook.cells = notebook.cells[: last + 1]
    _execute(notebook, folder)


def _execute(notebook: nbformat.NotebookNode, folder: str) -> None:
    resources = {"metadata": {"path": folder}}
    nbclient.NotebookClient(notebook, timeout=None, store_widget_state=False, resources=resources).execute()


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
    if len(kinds.get("image/png", "")) > MOST_PNG:
        kinds.setdefault("image/jpeg", as_jpeg(kinds["image/png"]))
    if "image/jpeg" in kinds:
        kinds.pop("image/png", None)
    kinds["text/plain"] = readable(kinds.get("text/plain", ""), folder)
    return output if kinds["text/plain"].strip() or len(kinds) > 1 else None


def as_jpeg(png: str) -> str:
    """A picture in a smaller format.

    Args:
        png: The picture in base64.

    Returns:
        The same as a JPEG.
    """
    result = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").save(result, "JPEG", quality=85, optimize=True)
    return base64.b64encode(result.getvalue()).decode()


def readable(text: str, folder: str) -> str:
    """A text without terminal codes, overwritten lines, log lines and the name of a folder."""
    return _CHATTER.sub("", text).replace(f"{folder}{os.sep}", "").replace(folder, ".")


def main() -> None:
    """Runs the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", type=Path, nargs="+")
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1")
    for path in track(parser.parse_args().notebooks, "Running"):
        run(path)


if __name__ == "__main__":
    main()
