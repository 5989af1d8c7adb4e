"""The program as a whole: help, errors, exit statuses."""

from __future__ import annotations

import importlib
import inspect
import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

import keras_segformer
from keras_segformer import cli
from keras_segformer.cli import main

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
ACTIONS = [
    ["data", "check"],
    ["data", "show"],
    ["data", "speed"],
    ["analyze", "erf"],
    ["analyze", "robustness"],
    ["analyze", "scaling"],
]
COMMANDS = [*([command] for command in cli.COMMANDS), *ACTIONS]
EXAMPLES = [
    shlex.split(line)[1:]
    for command in cli.COMMANDS
    for line in inspect.getsource(importlib.import_module(f"keras_segformer.cli.parsers.{command}")).splitlines()
    if line.strip().startswith("keras-segformer ") and "|" not in line
]


class Command:
    """A command that does what a test tells it."""

    def __init__(self, work: Callable[[], int]) -> None:
        self.work = work

    def add_parser(self, subparsers) -> None:
        subparsers.add_parser("work")

    def run(self, args) -> int:
        return self.work()


@pytest.fixture
def run_command(monkeypatch):
    """Runs the program with a command that does this work."""

    def run(work: Callable[[], int], *arguments: str) -> int:
        command = Command(work)
        monkeypatch.setattr(cli, "COMMANDS", ("work",))
        for package in ("keras_segformer.cli", "keras_segformer.cli.parsers"):
            monkeypatch.setitem(sys.modules, f"{package}.work", command)
        return main(["work", *arguments])

    return run


def failing(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_of_the_command_is_the_programs(run_command, status):
    assert run_command(lambda: status) == status


@pytest.mark.parametrize("error", [ValueError("bad value"), FileNotFoundError("no such file"), OSError("disk full")])
def test_errors_take_one_line(run_command, capsys, error):
    assert run_command(failing(error)) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {error}\n"
    assert captured.out == ""


def test_errors_are_raised_for_debugging(run_command):
    with pytest.raises(ValueError, match="bad value"):
        run_command(failing(ValueError("bad value")), "--debug")


def test_mistakes_in_the_program_are_not_hidden(run_command):
    with pytest.raises(TypeError, match="a mistake"):
        run_command(failing(TypeError("a mistake")))


def test_interruption(run_command, capsys):
    assert run_command(failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["predict"], ["predict", "a.png"]])
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert "usage: keras-segformer" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main([*arguments, "--help"])
    assert error.value.code == 0
    printed = capsys.readouterr().out
    command = " ".join(["keras-segformer", *arguments])
    assert f"usage: {command}" in printed
    _, _, examples = printed.partition("\nexamples:\n")
    assert f"  {command}" in examples


@pytest.mark.parametrize("line", EXAMPLES, ids=" ".join)
def test_examples_in_help_are_accepted(line):
    assert cli.make_parser().parse_args(line)


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"keras-segformer {keras_segformer.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shell, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--print-completion", shell])
    script = capsys.readouterr().out
    assert "calibration" in script
    assert "int8_npu" in script


def test_bash_completes(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--print-completion", "bash"])
    words = ["keras-segformer", "convert", "--precision", "int8"]
    script = f"""{capsys.readouterr().out}
        COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
        _shtab_keras_segformer
        echo "${{COMPREPLY[@]}}"
    """
    answer = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["int8", "int8_npu", "int8_mcu"]


def test_help_imports_nothing_heavy():
    code = """
        import contextlib, io, sys
        sys.argv[0] = "keras-segformer"
        from keras_segformer.cli import main
        for line in sys.stdin.read().split("\\n"):
            with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
                main([*line.split(), "--help"])
            assert "usage: keras-segformer" in printed.getvalue(), line
        print([name for name in ("jax", "keras", "tensorflow", "tensorflow_datasets") if name in sys.modules])
    """
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        input="\n".join(["", *map(" ".join, COMMANDS)]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    ("program", "level", "expected"),
    [("keras-segformer", None, "3"), ("keras-segformer", "0", "3"), ("python", None, None), ("python", "0", "0")],
)
def test_only_the_program_silences_tensorflow(run_command, monkeypatch, program, level, expected):
    monkeypatch.setattr(sys, "argv", [program])
    monkeypatch.setenv(LOG_LEVEL, level or "any")  # is taken back after the test, with what the program sets
    if level is None:
        monkeypatch.delenv(LOG_LEVEL)
    seen = []
    assert run_command(lambda: seen.append(os.environ.get(LOG_LEVEL)) or 0) == 0
    assert seen == [expected]


@pytest.mark.slow
def test_tensorflow_is_silent():
    code = """
        import os, sys
        sys.argv[0] = "keras-segformer"
        from keras_segformer.cli import main
        sys.exit(main(["info", "b0", "--size", "64"]))
    """
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", LOG_LEVEL: "0"}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "images of 64x64" in answer.stdout
    assert answer.stderr == ""
