"""Runs a file on images with MediaPipe Tasks, as an app would."""

import sys

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

file, images, outputs = sys.argv[1:]
options = vision.ImageSegmenterOptions(
    base_options=BaseOptions(model_asset_path=file), output_category_mask=True, output_confidence_masks=True
)
masks, confidences = [], []
with vision.ImageSegmenter.create_from_options(options) as segmenter:
    for image in np.load(images):
        result = segmenter.segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image)))
        masks.append(np.squeeze(result.category_mask.numpy_view()).copy())
        confidences.append(np.stack([np.squeeze(each.numpy_view()) for each in result.confidence_masks], axis=-1))
    labels = list(segmenter.labels)
np.savez(outputs, masks=masks, confidences=confidences, labels=labels)
