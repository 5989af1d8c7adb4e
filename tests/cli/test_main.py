"""The program as a whole: help, errors, exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from keras_segformer import cli
from keras_segformer.cli import main


class Command:
    """A command that does what a test tells it."""

    def __init__(self, work: Callable[[], int]) -> None:
        self.work = work

    def add_parser(self, subparsers) -> None:
        subparsers.add_parser("work")

    def run(self, args) -> int:
        return self.work()


def failing(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_of_the_command_is_the_programs(monkeypatch, status):
    monkeypatch.setattr(cli, "COMMANDS", (Command(lambda: status),))
    assert main(["work"]) == status


@pytest.mark.parametrize("error", [ValueError("bad value"), FileNotFoundError("no such file"), OSError("disk full")])
def test_errors_take_one_line(monkeypatch, capsys, error):
    monkeypatch.setattr(cli, "COMMANDS", (Command(failing(error)),))
    assert main(["work"]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {error}\n"
    assert captured.out == ""


def test_errors_are_raised_for_debugging(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", (Command(failing(ValueError("bad value"))),))
    with pytest.raises(ValueError, match="bad value"):
        main(["work", "--debug"])


def test_mistakes_in_the_program_are_not_hidden(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", (Command(failing(TypeError("a mistake"))),))
    with pytest.raises(TypeError, match="a mistake"):
        main(["work"])


def test_interruption(monkeypatch, capsys):
    monkeypatch.setattr(cli, "COMMANDS", (Command(failing(KeyboardInterrupt())),))
    assert main(["work"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["predict"], ["predict", "a.png"]])
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert "usage: keras-segformer" in capsys.readouterr().err


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.__name__.rpartition(".")[2])
def test_help(command, capsys):
    name = command.__name__.rpartition(".")[2]
    with pytest.raises(SystemExit) as error:
        main([name, "--help"])
    assert error.value.code == 0
    assert f"usage: keras-segformer {name}" in capsys.readouterr().out


@pytest.mark.parametrize("program", ["keras-segformer", "python"])
def test_only_the_program_silences_tensorflow(program):
    code = """
        import os, sys
        sys.argv[0] = sys.argv.pop(1)
        from keras_segformer.cli import main
        status = main(["info", "b0", "--size", "64"])
        print(status, os.environ.get("TF_CPP_MIN_LOG_LEVEL"))
    """
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), program],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"KERAS_BACKEND": "tensorflow"},
    )
    silenced = program == "keras-segformer"
    # JAX, where it is installed, sets a level of its own.
    assert (answer.stdout.splitlines()[-1] == "0 3") == silenced
    assert not silenced or answer.stderr == ""
