"""How costs grow with the picture."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.analysis import (
    Measurement,
    attention_dominates,
    count_complexity,
    draw_scaling,
    measure_keras,
    scaling,
    slopes,
)
from keras_segformer.models import VARIANTS
from tiny import tiny_config

SIDES = [256, 512, 1024]


def cubic(config, side: int) -> Measurement:
    """Time that grows with the third power of the pixels, and memory that grows with the first."""
    return Measurement(seconds=1e-12 * side**6, peak_bytes=100 * side**2)


def test_kinds_of_layers_add_up():
    points = scaling(VARIANTS["b2"], [1024, 256, 512, 512])
    assert [point.side for point in points] == SIDES
    for point in points:
        total = count_complexity(VARIANTS["b2"], (point.side, point.side)).total
        assert (point.total_macs, point.parameters) == (total.macs, total.parameters)
    assert points[0].to_dict()["pixels"] == 256**2
    assert points[0].to_dict()["measured"] == {}


def test_slopes():
    found = slopes(scaling(VARIANTS["b0"], SIDES, {"clock": cubic}))
    assert found["attention products"] == 2
    assert {found[kind] for kind in ("patch embedding", "attention maps", "Mix-FFN", "decoder")} == {1}
    assert 1 < found["total"] < 2
    assert (found["clock seconds"], found["clock memory"]) == (3, 1)
    assert slopes(scaling(VARIANTS["b0"], [256])) == {}
    nothing = scaling(VARIANTS["b0"], SIDES, {"clock": lambda config, side: Measurement(0.1, 0)})
    assert slopes(nothing).keys() & {"clock seconds", "clock memory"} == {"clock seconds"}


@pytest.mark.parametrize("name", VARIANTS)
def test_where_attention_dominates(name):
    first, every = attention_dominates(VARIANTS[name])
    assert 32 < first < every

    def stage_1(side: int) -> tuple[int, int]:
        modules = count_complexity(VARIANTS[name], (side, side)).stages[0]
        return modules["attention products"].macs, sum(cost.macs for cost in modules.values())

    def network(side: int) -> tuple[int, int]:
        [point] = scaling(VARIANTS[name], [side])
        return point.macs["attention products"], point.total_macs

    for side, count in ((first, stage_1), (every, network)):
        shares = [products / total for products, total in map(count, (side - 32, side))]
        assert shares[0] <= 0.5 < shares[1]


def test_without_encoder_nothing_can_be_counted():
    with pytest.raises(ValueError, match="Only the MiT encoder can be counted"):
        scaling(tiny_config().replace(encoder=None), [64])


@pytest.mark.slow
def test_in_a_process_of_its_own():
    found = measure_keras(tiny_config(), 512, runs=1)
    assert found.seconds > 0
    assert found.peak_bytes > 512**2 * 3 * 4


@pytest.mark.parametrize(
    ("script", "error", "message"),
    [
        ("kill -9 $$", MemoryError, "too little memory for a picture of 64x64; choose smaller"),
        ("echo 'ResourceExhaustedError: OOM' >&2; exit 1", MemoryError, "choose smaller sides"),
        ("echo 'ImportError: no such module' >&2; exit 1", RuntimeError, "64x64 failed: ImportError: no such module"),
        ("exit 3", RuntimeError, "failed: exit status 3"),
    ],
)
def test_a_process_that_fails_is_reported(monkeypatch, tmp_path, script, error, message):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(error, match=message):
        measure_keras(tiny_config(), 64)


def test_figure(tmp_path):
    pytest.importorskip("matplotlib")
    points = {
        "tiny": scaling(tiny_config(), SIDES, {"clock": cubic}),
        "b0": scaling(VARIANTS["b0"], SIDES, {"clock": cubic}),
    }
    figure = draw_scaling(points)
    figure.savefig(tmp_path / "figure.png")
    tiny, b0, seconds, memory = figure.axes
    assert [line.get_label() for line in tiny.lines][-2:] == [
        "decoder (slope 1.00)",
        f"total (slope {slopes(points['tiny'])['total']:.2f})",
    ]
    np.testing.assert_allclose(b0.lines[-1].get_ydata(), [point.total_macs / 1e9 for point in points["b0"]])
    np.testing.assert_allclose(seconds.lines[1].get_ydata(), [1e-12 * side**6 for side in SIDES])
    np.testing.assert_allclose(memory.lines[0].get_ydata(), [100 * side**2 / 2**20 for side in SIDES])
    assert [line.get_label() for line in memory.lines] == ["tiny, clock (slope 1.00)", "b0, clock (slope 1.00)"]
    assert len(draw_scaling({"b0": scaling(VARIANTS["b0"], [512])}).axes) == 1
