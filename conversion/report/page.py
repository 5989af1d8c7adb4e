"""A page about a file: what it is, what it needs, how closely it follows its network, and why."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_segformer.label_sets import LabelSet
from keras_segformer.licenses import License

from ..audit import Audit
from .verification import Pair, Verification, panels

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .7rem; background: #3b7dd8; }
.warning { background: #fff3cd; padding: .5rem .8rem; }
figure { display: inline-block; margin: 0 .5rem 1rem 0; } img { width: 19rem; } figcaption { font-size: 13px; }
"""
_MAX_ROWS = 40
_PICTURE_SIDE = 384


def write_report(facts: dict[str, Any], audit: Audit, verification: Verification | None, label_set: LabelSet) -> str:
    """Write the page.

    Args:
        facts: What the JSON file holds.
        audit: The findings about the file.
        verification: The comparison with the network; `None` where there were no images.
        label_set: The colours of the classes.

    Returns:
        HTML that needs no other file.
    """
    sections = [
        "<h1>A SegFormer as a TF Lite file</h1>",
        _warnings(verification),
        _table(("", ""), _summary(facts)),
        "<h2>Where it runs</h2>",
        _table(("Target", "Takes", "Does not take"), _targets(audit)),
        *_fidelity_sections(verification, label_set),
        *_quantization_sections(facts.get("quantization")),
        "<h2>Operations</h2>",
        _table(("Operation", "Version", "Count"), [(op["name"], op["version"], op["count"]) for op in audit.operators]),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{_text(facts["precision"])}</title>'
        f"<style>{_STYLE}</style>\n" + "\n".join(filter(None, sections)) + "\n</html>\n"
    )


def _summary(facts: dict[str, Any]) -> list[tuple[str, str]]:
    kind = facts["output"]["kind"]
    rows = [
        ("Precision", facts["precision"]),
        ("Input", f"{_shape(facts['input'])}, RGB on the scale 0..255"),
        ("Output", f"{kind}, {_shape(facts['output'])}"),
        ("Size", f"{facts['bytes'] / 1e6:.2f} MB"),
        ("Oldest runtime", f"TF Lite {facts['minimum_runtime']}"),
        ("SHA-256", facts["sha256"]),
    ]
    if facts["license"]:
        rows.append(("Licence of the weights", License(**facts["license"]).terms))
    return rows


def _shape(tensor: dict[str, Any]) -> str:
    return f"{'×'.join(map(str, tensor['shape']))} {tensor['dtype']}"


def _targets(audit: Audit) -> list[tuple[str, str, str]]:
    return [
        (
            verdict.target,
            f"{verdict.taken} of {verdict.operations}",
            "; ".join(f"{each.operator} ×{len(each.places)}: {each.reason}" for each in verdict.findings) or "–",
        )
        for verdict in audit.verdicts
    ]


def _warnings(verification: Verification | None) -> str:
    if verification is None or not verification.vanished:
        return ""
    names = ", ".join(verification.vanished)
    return f'<p class="warning">The file never sees these classes, which its network does: {_text(names)}.</p>'


def _fidelity_sections(verification: Verification | None, label_set: LabelSet) -> list[str]:
    if verification is None:
        return ["<h2>Fidelity</h2><p>Not measured: there were no images.</p>"]
    classes = sorted(verification.classes(), key=lambda each: each["iou"])[:_MAX_ROWS]
    rows = [
        (each["name"], _percent(each["share_before"]), _percent(each["share_after"]), _bar(each["iou"], 1.0))
        for each in classes
    ]
    return [
        "<h2>Fidelity</h2>",
        f"<p>On {len(verification.agreements)} images the file gives the label of its network at "
        f"{_percent(verification.agreement)} of the positions; on the worst image at "
        f"{_percent(verification.worst_agreement)}.</p>",
        _table(("Class", "Share before", "Share after", "IoU between both"), rows, raw=(3,)),
        "<h3>The images that agree least</h3>",
        *(_pictures(pair, label_set) for pair in verification.worst),
    ]


def _pictures(pair: Pair, label_set: LabelSet) -> str:
    captions = (f"{pair.name}: the network", f"the file, {_percent(pair.agreement)} the same", "where they differ")
    figures = (
        f'<figure><img src="{_data_url(image)}" alt=""><figcaption>{_text(caption)}</figcaption></figure>'
        for caption, image in zip(captions, panels(pair, label_set), strict=True)
    )
    return f"<div>{''.join(figures)}</div>"


def _data_url(image: np.ndarray) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _quantization_sections(quantization: dict[str, Any] | None) -> list[str]:
    if not quantization:
        return []
    forms = quantization["recipe"]["layers"]
    counts = ", ".join(f"{list(forms.values()).count(form)} {form}" for form in dict.fromkeys(forms.values()))
    sections = [
        "<h2>Quantisation</h2>",
        f"<p>Layers: {_text(counts)}. Of the multiplications of layers with weights, "
        f"{_percent(quantization['integer_share_of_layers'])} are done in integers; with the products of attention, "
        f"{_percent(quantization['integer_share_with_attention'])} of all.</p>",
    ]
    rows = [row for row in quantization["sensitivity"] if row["form"] != "float"]
    if rows:
        rows.sort(key=lambda row: -row["error"])
        largest = rows[0]["error"]
        cells = [
            (
                row["layer"],
                row["form"] + (" (taken)" if forms[row["layer"]] == row["form"] else ""),
                _bar(row["error"], largest, f"{row['error']:.1e}"),
                f"{row['agreement']:.4f}",
            )
            for row in rows[:_MAX_ROWS]
        ]
        sections += [
            "<h3>The most sensitive layers, each quantised alone</h3>",
            _table(("Layer", "Form", "Error of the logits", "Agreement"), cells, raw=(2,)),
        ]
    return sections


def _table(headers: Sequence[str], rows: Iterable[Sequence[Any]], raw: tuple[int, ...] = ()) -> str:
    head = "".join(f"<th>{_text(header)}</th>" for header in headers)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' if isinstance(cell, int) else ''}>{cell if index in raw else _text(cell)}</td>"
            for index, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _bar(value: float, largest: float, text: str | None = None) -> str:
    width = 12 * value / largest if largest else 0
    return f'<span class="bar" style="width: {width:.2f}rem"></span> {_text(text or f"{value:.3f}")}'


def _percent(share: float) -> str:
    return f"{share:.2%}"


def _text(value: Any) -> str:
    return html.escape(str(value))
