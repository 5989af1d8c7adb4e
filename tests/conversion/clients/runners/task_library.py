"""Runs a file on images with the Task Library, as an app would."""

import sys

import numpy as np
from tflite_support.task import core, processor, vision

file, images, outputs = sys.argv[1:]


def segment(image, output_type):
    options = vision.ImageSegmenterOptions(
        base_options=core.BaseOptions(file_name=file),
        segmentation_options=processor.SegmentationOptions(output_type=output_type),
    )
    segmenter = vision.ImageSegmenter.create_from_options(options)
    [found] = segmenter.segment(vision.TensorImage.create_from_array(np.ascontiguousarray(image))).segmentations
    return found


masks, confidences, labels = [], [], []
for image in np.load(images):
    category = segment(image, processor.OutputType.CATEGORY_MASK)
    masks.append(np.array(category.category_mask).reshape(category.height, category.width))
    confidence = segment(image, processor.OutputType.CONFIDENCE_MASK)
    planes = [np.array(each.value).reshape(confidence.height, confidence.width) for each in confidence.confidence_masks]
    confidences.append(np.stack(planes, axis=-1))
    labels = [each.category_name for each in category.colored_labels]
np.savez(outputs, masks=masks, confidences=confidences, labels=labels)
