from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.analysis import ablation_costs, paper_macs
from keras_segformer.models import VARIANTS


@pytest.mark.parametrize(
    "row", [row for table in ("1a", "1b", "1d") for row in ablation_costs(table)], ids=lambda row: row.name
)
def test_counts_are_the_papers(row):
    assert row.macs / 1e9 == pytest.approx(row.paper_macs_g, abs=0.065)
    # The paper prints 27.5 M for B2 in table 1b and 27.7 M in table 1d.
    tolerance = 0.25 if row.name == "MiT-B2, all stages" else 0.065
    assert row.parameters / 1e6 == pytest.approx(row.paper_parameters_m, abs=tolerance)


def test_rows_of_a_variant_are_its_own():
    b2, b3 = ablation_costs("1d")[-2:]
    assert (b2.macs, b3.macs) == tuple(paper_macs(VARIANTS[name], (512, 512)) for name in ("b2", "b3"))
    assert ablation_costs("1b")[2].parameters == b2.parameters


def test_resnets_are_those_of_keras_but_for_the_first_layer():
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3))
    variables = {variable.path: int(np.prod(variable.shape)) for variable in network.trainable_variables}
    biases = sum(count for path, count in variables.items() if "conv" in path and path.endswith("bias"))
    decoder = sum((channels + 1) * 768 for channels in (256, 512, 1024, 2048)) + 4 * 768**2 + 2 * 768 + 769 * 150
    first_layers = (3 * 32 + 32 * 32 + 32 * 64) * 9 + 2 * (32 + 32 + 64) - (3 * 64 * 49 + 2 * 64)
    assert ablation_costs("1d")[0].parameters == sum(variables.values()) - biases + first_layers + decoder


@pytest.mark.parametrize("table", ["1c", "", "1B"])
def test_other_tables_are_refused(table):
    with pytest.raises(ValueError, match=r"There is no ablation .* with costs; choose 1a or 1b or 1d"):
        ablation_costs(table)
