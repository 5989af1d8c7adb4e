"""`keras-segformer upload`: a preset on a hub."""

from __future__ import annotations

import argparse

from keras_segformer.presets import upload_preset


def run(args: argparse.Namespace) -> int:
    """Upload a preset and print where it is.

    Args:
        args: `preset`, `uri` and `public`.

    Returns:
        0.
    """
    print(f"The preset is at {upload_preset(args.uri, args.preset, public=args.public)}")
    return 0
