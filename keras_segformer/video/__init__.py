"""Moving pictures: files, streams and cameras in, videos of their segmentation out, by PyAV (extra `video`).

`pipeline.segment_video` reads from top to bottom: frames come from `reader`, a function of the caller's finds their
labels, and `writer` encodes them; the three overlap. `steady` smooths labels over time and `flicker` measures whether
that is needed. What a command-line argument stands for is in `sources`.
"""

STEADY_WEIGHT = 0.6
"""The usual weight of the frames before in the mean of `steady`: labels lag behind by 1.5 frames on average."""
