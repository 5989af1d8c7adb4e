"""Compiles files for the NPU Ethos-U, and reads what the compiler says about them."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from keras_segformer.errors import MissingExtraError

_CPU_OPERATORS = re.compile(r"CPU operators = (\d+)")
_REFUSED = re.compile(r"Warning \(supported operators\) operator: (\w+)")
_MAX_ERROR = 300  # characters


@dataclasses.dataclass(frozen=True, kw_only=True)
class EthosUReport:
    """What vela reports about a file.

    Args:
        accelerator: The NPU that it was compiled for, such as `"ethos-u55-128"`.
        cpu_operations: The number of operations that are left to the CPU.
        refused: Their operators.
        sram_bytes: The memory that the tensors take.
        flash_bytes: The size of weights and commands.
        macs: Multiply-accumulates of a picture.
        cycles: Estimated clock cycles of a picture.
    """

    accelerator: str
    cpu_operations: int
    refused: tuple[str, ...]
    sram_bytes: int
    flash_bytes: int
    macs: int
    cycles: int


def compile_for_ethos_u(content: bytes, accelerator: str = "ethos-u55-128") -> EthosUReport:
    """Compile a file with vela.

    Args:
        content: A TF Lite file.
        accelerator: A name that vela's `--accelerator-config` takes.

    Returns:
        Its report. Memory and cycles are those of its default configurations of the rest of the chip.

    Raises:
        MissingExtraError: ethos-u-vela is not installed.
        ValueError: vela does not compile the file.

    Example:

    ```python
    compile_for_ethos_u(Path("micro.tflite").read_bytes()).sram_bytes
    ```
    """
    if importlib.util.find_spec("ethosu") is None:
        raise MissingExtraError("ethos-u-vela", "micro")
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "model.tflite"
        file.write_bytes(content)
        options = ["--accelerator-config", accelerator, "--output-dir", name]
        command = [sys.executable, "-m", "ethosu.vela", str(file), *options]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        tables = list(Path(name).glob("model_summary_*.csv"))
        if finished.returncode or len(tables) != 1:
            reason = " ".join((finished.stderr or finished.stdout).split())[-_MAX_ERROR:]
            raise ValueError(
                f"vela does not compile the file for {accelerator} ({reason}); convert it with --for ethos-u."
            )
        [row] = csv.DictReader(tables[0].read_text().splitlines())
    found = _CPU_OPERATORS.search(finished.stdout)
    return EthosUReport(
        accelerator=accelerator,
        cpu_operations=int(found[1]) if found else 0,
        refused=tuple(_REFUSED.findall(finished.stdout + finished.stderr)),
        sram_bytes=_kibibytes(row["sram_memory_used"]),
        flash_bytes=_kibibytes(row["off_chip_flash_memory_used"]) + _kibibytes(row["on_chip_flash_memory_used"]),
        macs=int(row["nn_macs"]),
        cycles=int(row["cycles_total"]),
    )


def _kibibytes(text: str) -> int:
    return round(float(text) * 1024)
