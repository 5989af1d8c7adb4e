"""From a network to a quantised file: statistics, recipe, fine-tuning, integers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..choices import OutputKind, Runtime
from ..graph.network import Network
from ..progress import Progress, silent
from .calibration import Calibration
from .fine_tune import fine_tune
from .float_file import FloatFile
from .integer_share import integer_share
from .plans import PLANS
from .quantization_recipe import QuantizationRecipe
from .search import SearchResult, default_recipe, search_recipe
from .statistics import Statistics, collect_statistics

MakeFloatFile = Callable[[Network, OutputKind, int, tuple[int, int]], FloatFile]
"""Exports a network with the given output, batch size and `(height, width)` to a float file."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantizationOptions:
    """How a network is quantised.

    Args:
        precision: A key of `PLANS`.
        input_size: `(height, width)` of the file's input. Recipes are found at one of at most
            about 256x256 pixels, unless they may round attention.
        batch_size: Number of images that the file takes at once. Recipes are found for one.
        runtime: The runtime that the file is for.
        calibration: The calibration images; `None` if there are none.
        recipe: The recipe to apply; `None` to find one.
        target: The least mean agreement of a recipe that is searched for; `None` for that of the plan.
        fine_tune_steps: Number of steps that the weights are trained for; 0 to quantise them as they are.
        measure_times: Whether a search measures the times of layers on this machine.
    """

    precision: str
    input_size: tuple[int, int]
    batch_size: int = 1
    runtime: Runtime = "litert"
    calibration: Calibration | None = None
    recipe: QuantizationRecipe | None = None
    target: float | None = None
    fine_tune_steps: int = 0
    measure_times: bool = False

    @property
    def may_be_static(self) -> bool:
        """Whether the recipe fixes ranges of tensors, as far as is known before it is found."""
        return PLANS[self.precision].may_be_static(self.runtime, self.recipe)

    @property
    def may_round_attention(self) -> bool:
        """Whether the recipe may round weights of attention, as far as is known before it is found."""
        return PLANS[self.precision].may_round_attention(self.runtime, self.recipe)


def quantize_network(
    network: Network,
    output: OutputKind,
    make_float_file: MakeFloatFile,
    options: QuantizationOptions,
    progress: Progress = silent,
) -> tuple[bytes, dict[str, Any]]:
    """Quantise a network.

    Args:
        network: The folded network.
        output: The output of the file.
        make_float_file: Exports the network, also with the logits of one image as its output, because recipes are
            evaluated on them.
        options: How to quantise it. Calibration images must be there if the recipe, the search or fine-tuning need
            them.
        progress: Called with progress updates.

    Returns:
        The content of the quantised file; and the recipe, how it was found and how much of the arithmetic is done in
        integers, for the JSON file.

    Raises:
        ValueError: The recipe is for another network, or it needs calibration images and there are none.
        MissingExtraError: litert-quantizer is not installed.
    """
    images = options.calibration
    if images and not options.may_round_attention:
        # Larger images have more keys, of which static attention loses more.
        images = images.for_search()
    size = images.size if images else options.input_size
    search_file = make_float_file(network, "logits", 1, size)
    if options.recipe:
        search_file.check(options.recipe)
    search_file = search_file.with_statistics(_observe(search_file, output, images, options, progress))
    result = _find_recipe(search_file, images, options, progress)
    if options.fine_tune_steps:
        # Training moved the weights to where rounding to the nearest integers is best.
        result = dataclasses.replace(result, recipe=dataclasses.replace(result.recipe, rounding="nearest"))
        network = fine_tune(
            network, result.recipe, options.calibration.fitting, options.fine_tune_steps, progress=progress
        )
        search_file = make_float_file(network, "logits", 1, size).with_statistics(search_file.statistics)
    file = search_file
    if options.fine_tune_steps or (output, options.batch_size, options.input_size) != ("logits", 1, size):
        other = make_float_file(network, output, options.batch_size, options.input_size)
        file = _with_output(search_file, other, output, result.recipe, options, progress)
    return file.quantize(result.recipe), _facts(result, file, options)


def _observe(
    file: FloatFile,
    output: OutputKind,
    images: Calibration | None,
    options: QuantizationOptions,
    progress: Progress,
) -> Statistics | None:
    if images is None:
        return None
    advance = progress("Collecting statistics", len(images.fitting))
    return collect_statistics(
        file.content,
        file.file,
        file.layers.values(),
        images.fitting,
        advance,
        with_values=options.may_be_static,
        logits=_scored_logits(file, output),
    )


def _scored_logits(file: FloatFile, output: OutputKind) -> tuple[str, ...]:
    """The tensors with logits of which only labels or probabilities are seen."""
    return () if output == "logits" else file.logits


def _find_recipe(
    file: FloatFile, images: Calibration | None, options: QuantizationOptions, progress: Progress
) -> SearchResult:
    if options.recipe:
        return SearchResult(recipe=options.recipe)
    if not PLANS[options.precision].is_searched:
        calibrated = options.calibration is not None
        return SearchResult(recipe=default_recipe(options.precision, file, options.runtime, calibrated))
    search = (options.runtime, options.target, progress, options.measure_times)
    return search_recipe(options.precision, file, images.held_out, images.unlikely, *search)


def _with_output(
    search_file: FloatFile,
    file: FloatFile,
    output: OutputKind,
    recipe: QuantizationRecipe,
    options: QuantizationOptions,
    progress: Progress,
) -> FloatFile:
    """The file with another output, batch or size. Its tensors need ranges if the recipe is static."""
    statistics = Statistics(gram_matrices={}, values={})
    # Weights that were trained have other ranges.
    known = None if options.fine_tune_steps else search_file.statistics_for(file)
    if recipe.is_static and known is not None:
        statistics = known
    elif recipe.is_static and options.calibration is not None:
        images = options.calibration.fitting
        advance = progress("Collecting statistics of the output", len(images))
        logits = _scored_logits(file, output)
        statistics = collect_statistics(file.content, file.file, (), images, advance, logits=logits)
    return search_file.with_output_of(file, statistics)


def _facts(result: SearchResult, file: FloatFile, options: QuantizationOptions) -> dict[str, Any]:
    return {
        "runtime": options.runtime,
        "recipe": result.recipe.to_dict(),
        "integer_share_of_layers": integer_share(result.recipe.layers, file.layers),
        "integer_share_with_attention": integer_share(result.recipe.layers, file.layers, include_attention=True),
        "target": result.target,
        "measured_times": options.measure_times,
        "search": result.fidelity and result.fidelity.to_dict(),
        "sensitivity": [row.to_dict() for row in result.sensitivity],
    }
