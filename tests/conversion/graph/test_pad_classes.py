"""Classes that fill up vectors are never chosen."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion import convert
from keras_segformer.conversion.audit import audit
from keras_segformer.conversion.graph.inference_function import inference_function
from keras_segformer.conversion.graph.network import read_network
from keras_segformer.conversion.graph.pad_classes import fill_classes
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config


@pytest.mark.parametrize(("classes", "filled"), [(1, 1), (2, 4), (4, 4), (11, 12), (19, 20), (150, 152)])
def test_multiple_of_four(classes, filled):
    classifier = read_network(SegFormerNetwork(tiny_config(num_classes=classes)))
    found = fill_classes(classifier).decoder.classifier
    assert found.bias.shape == (filled,)
    x = np.random.default_rng(0).normal(size=(50, len(found.kernel)))
    logits = x @ found.kernel + found.bias
    assert (logits.argmax(-1) < classes).all()
    np.testing.assert_array_equal(logits[:, :classes].argmax(-1), logits.argmax(-1))


@pytest.mark.parametrize("output", ["labels", "labels_full", "logits"])
def test_labels_alone_are_filled(tiny, output, tmp_path):
    facts = convert(tiny, tmp_path / "m.tflite", input_size=(64, 64), output=output, report=False)
    content = (tmp_path / "m.tflite").read_bytes()
    [last] = {node.outputs[0].shape[-1] for node in read_tflite(content).nodes if node.name == "CONV_2D"} & {5, 8}
    assert last == (5 if output == "logits" else 8)
    assert facts["output"]["shape"][3:] == ([5] if output == "logits" else [])


def test_audit_knows_files_that_are_not_filled(tiny):
    network = read_network(tiny)
    reasons = []
    for each in (fill_classes(network), network):
        content = export(inference_function(each, (64, 64), output="labels"), "float32")
        [verdict] = audit(content, ["gpu"]).verdicts
        reasons.append([(finding.operator, finding.reason) for finding in verdict.findings])
    filled, unfilled = reasons
    assert not any(operator == "ARG_MAX" for operator, _ in filled)
    assert [each for each in unfilled if each not in filled] == [
        ("ARG_MAX", "wrong where all are negative, unless there is a multiple of 4")
    ]
