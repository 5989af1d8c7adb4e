"""The data files of the audit, and the conditions in them."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from keras_segformer.conversion.audit.conditions import facts, holds
from keras_segformer.conversion.audit.versions import runtime_key, runtime_with
from keras_segformer.conversion.tflite.reader import Node
from keras_segformer.conversion.tflite.schema import schema

FOLDER = resources.files("keras_segformer.conversion.audit")
GROUPS = json.loads((FOLDER / "versions.json").read_text())["operators"]
RUNTIMES = json.loads((FOLDER / "runtimes.json").read_text())["operators"]
DELEGATES = [
    json.loads((FOLDER / "delegates" / f"{name}.json").read_text())
    for name in ("ethos-u", "gpu", "nnapi", "qualcomm-htp", "tflite-micro", "xnnpack")
]

OPERATORS = {name for name in vars(schema.BuiltinOperator) if not name.startswith("_")}
OPTIONS = {name for kind, each in vars(schema).items() if kind.endswith("OptionsT") for name in vars(each())}
NEWER_OPERATORS = {f"STABLEHLO_{name}" for name in ("CASE", "CBRT", "COMPOSITE", "SHIFT_LEFT")}  # than TensorFlow 2.16
# Versions that TensorFlow's converter gives and no interpreter has.
IN_NO_RUNTIME = {("LSTM", 5), ("UNIDIRECTIONAL_SEQUENCE_LSTM", 5)}
EMPTY = Node(place="0", name="ADD", version=1, custom=False, inputs=(), outputs=(), options={})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"rank": 4}, True),
        ({"rank": [2, 3]}, False),
        ({"rank": 4, "type": ["INT8", "FLOAT32"]}, True),
        ({"rank": 4, "type": "INT8"}, False),
        ({"rank": {"above": 3, "below": 5}}, True),
        ({"rank": {"above": 4}}, False),
        ({"rank": {"at_least": 4}}, True),
        ({"product_scale": {"below": 1}}, False),
        ({"left_out_option": 0}, True),
    ],
)
def test_holds(condition, expected):
    assert holds(condition, {"rank": 4, "type": "FLOAT32", "product_scale": None}) == expected


def conditions():
    yield from (rule["when"] for group in GROUPS for rule in group["rules"])
    yield from (rule.get("need", rule.get("refuse")) for delegate in DELEGATES for rule in delegate["rules"])


def test_conditions_ask_for_what_there_is():
    """An option or fact that is misspelt would be taken for one that has its default."""
    asked = {name for condition in conditions() for name in condition}
    assert asked <= facts(EMPTY).keys() | OPTIONS


def test_types_are_types():
    names = {"input_type", "second_type", "third_type", "output_type", "second_output_type", "type", "operand_type"}
    values = [value for condition in conditions() for name, value in condition.items() if name in names]
    types = {each for value in values for each in (value if isinstance(value, list) else [value])}
    assert types <= vars(schema.TensorType).keys() | {"BFLOAT16", "INT2", "UINT4"}  # newer than TensorFlow 2.16


def test_runtimes():
    assert RUNTIMES.keys() <= OPERATORS | NEWER_OPERATORS
    for runtimes in RUNTIMES.values():
        keys = [runtime_key(runtime) for runtime in runtimes["since"] if runtime]
        assert keys == sorted(keys)


def test_versions():
    names = [name for group in GROUPS for name in group["of"]]
    assert len(set(names)) == len(names)
    for group in GROUPS:
        for rule in group["rules"]:
            assert rule["because"] or rule["version"] == 1
            for name in group["of"]:
                assert runtime_with(name, rule["version"]) or (name, rule["version"]) in IN_NO_RUNTIME


@pytest.mark.parametrize("delegate", DELEGATES, ids=lambda delegate: delegate["title"].split()[0])
def test_delegate(delegate):
    taken = [name for names in delegate["operators"].values() for name in names]
    names = [*taken, *delegate["unjudged"]]
    assert len(set(names)) == len(names)
    assert set(names) <= RUNTIMES.keys()
    assert delegate["sources"]
    for rule in delegate["rules"]:
        assert set(rule.get("of", [])) <= set(taken)
        assert rule["reason"]
        assert ("need" in rule) != ("refuse" in rule)


def test_every_fact_of_an_operation_without_tensors():
    """None of them fails, and none is as if there were a tensor."""
    known = facts(EMPTY)
    assert known["rank"] is known["input_type"] is known["product_scale"] is None
    assert not known["per_channel"]
    assert not known["dynamic"]
