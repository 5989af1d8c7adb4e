"""The public names of every package, and where texts and code name something else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import syntax_trees

PUBLIC = {
    "keras_segformer": (
        *("LabelSet", "License", "MLPDecoder", "MixTransformer", "MixTransformerConfig", "PRESETS", "PresetInfo"),
        *("SegFormer", "SegFormerConfig", "VARIANTS", "analysis", "conversion", "data", "errors", "evaluation"),
        *("images", "label_set_names", "layers", "list_presets", "load_encoder", "load_label_set", "platforms"),
        *("predict", "scale", "training", "upload_preset", "visualization"),
    ),
    "keras_segformer.analysis": (
        *("AblationCost", "CNNBackbone", "Complexity", "CorruptedPicture", "Cost", "Dominance", "Measurement"),
        *("ReceptiveField", "Robustness", "ScalingPoint", "ablation_costs", "attention_dominates", "cnn_backbone"),
        *("corrupt", "corrupted_pictures"),
        *("count_complexity", "draw_receptive_fields", "draw_robustness", "draw_scaling"),
        *("effective_receptive_field", "measure_keras", "paper_macs", "robustness", "scaling", "slopes"),
    ),
    "keras_segformer.conversion": (
        *("Audit", "ComparedPicture", "FileFigures", "Finding", "TARGETS", "Verdict", "Verification", "audit"),
        *("benchmark", "convert", "export_onnx", "export_savedmodel", "options_for", "profile", "verify"),
    ),
    "keras_segformer.data": (
        *("Augmentation", "CheckReport", "Examples", "ImportOptions", "ImportReport", "check", "evaluation_dataset"),
        *("from_keras_cv", "import_labels", "load", "sample_grid", "training_dataset"),
    ),
    "keras_segformer.errors": (
        *("InvalidDatasetError", "InvalidImageError", "InvalidPresetError", "InvalidRecipeError", "InvalidVideoError"),
        *("MissingExtraError", "PresetNotFoundError", "WeightsMismatchError"),
    ),
    "keras_segformer.evaluation": (
        *("BoundaryIoU", "ClassMapping", "ConfusionMatrix", "Evaluation", "FrequencyWeightedIoU", "ImageScore"),
        *("MeanAccuracy", "MeanBoundaryIoU", "MeanIoU", "PixelAccuracy", "Scores", "SegmentedImage", "TFLiteModel"),
        *("class_mapping_names", "draw_evaluation", "evaluate"),
    ),
    "keras_segformer.images": (
        *("FoundImages", "ImageSource", "ReadImage", "find_images", "list_images", "load_image", "read_image"),
    ),
    "keras_segformer.layers": (
        *("BatchNorm", "ChannelDropout", "EfficientSelfAttention", "LayerNorm", "LinearMap", "MixFFN"),
        *("MultiLevelFusion", "OverlappedPatchEmbedding", "PositionalEmbedding", "ResizeLike", "StochasticDepth"),
        "TransformerBlock",
    ),
    "keras_segformer.platforms": (
        *("Platform", "current_platform", "find_data", "has_tpu", "offer_download", "output_folder", "secret"),
        "training_strategy",
    ),
    "keras_segformer.predict": ("MAX_PIXELS", "Segmentation", "SizeChoice", "segment"),
    "keras_segformer.scale": ("LabelBatch", "ModelChoice", "SegmentationModelHandler"),
    "keras_segformer.training": (
        *("GroupedAdamW", "ORIGINAL_GROUPS", "Recipe", "RunSettings", "SegmentationLoss", "WarmupPolynomial"),
        *("build_model", "distill", "load_recipe", "open_strategy", "recipe_names", "train"),
    ),
    "keras_segformer.visualization": ("ClassShare", "class_shares", "color_mask", "legend", "overlay", "picture"),
}
"""A change of the public surface is a change of this table."""

_PATH = re.compile(r"\bkeras_segformer(?:\.[A-Za-z_]\w*)+")


def is_public(path: str) -> bool:
    """Whether a dotted path leads to something public, or into it: `keras_segformer.SegFormer.segment`."""
    module, *names = path.split(".")
    for name in names:
        if name == "__version__":
            return True
        if module not in PUBLIC:
            return True
        if name not in PUBLIC[module]:
            return False
        module += f".{name}"
    return True


def private_paths_in_text(text: str) -> list[str]:
    """The dotted paths in a text, code included, that are not public."""
    return [path for path in _PATH.findall(text) if not is_public(path)]


def private_paths_in_code(code: str) -> list[str]:
    """The paths that Python imports or reaches by attributes, and that are not public."""
    return [path for path in _paths(syntax_trees.parse(code)) if not is_public(path)]


def _paths(tree: ast.AST) -> Iterator[str]:
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "keras_segformer":
                    names[alias.asname or "keras_segformer"] = alias.name if alias.asname else "keras_segformer"
                    yield f"{alias.name}."[:-1]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "keras_segformer":
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            root, *rest = ast.unparse(node).split(".")
            if root in names and all(each.isidentifier() for each in rest):
                yield ".".join([names[root], *rest])
