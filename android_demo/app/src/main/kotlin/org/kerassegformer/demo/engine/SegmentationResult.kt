package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Phase

/**
 * The labels of one frame. One object is made for each model in use and filled anew for each frame.
 *
 * @property inUse what computed it
 * @property map the labels, as numbers of classes of `inUse.file.spec.labelSet`
 */
internal class SegmentationResult(val inUse: ProcessorInUse, val map: LabelMap) {
    /** [Frame.id] of the frame that the labels were computed from. */
    var frameId: Long = 0

    /** [Frame.cameraNanos] of the frame. */
    var cameraNanos: Long = 0

    /** Time to bring the frame into the tensor, in nanoseconds. */
    var inputNanos: Long = 0

    /** Time of the network, in nanoseconds. */
    var inferenceNanos: Long = 0

    /** Time to read the labels, in nanoseconds. */
    var outputNanos: Long = 0

    /** Frames that were closed unseen since the previous result. */
    var dropped: Int = 0

    /** Records all phases that the engine knows: all but [Phase.DRAW], and the camera's only if the frame has one. */
    fun recordIn(stats: LatencyStats) {
        if (cameraNanos > 0) stats.record(Phase.CAMERA, cameraNanos)
        stats.record(Phase.INPUT, inputNanos)
        stats.record(Phase.INFERENCE, inferenceNanos)
        stats.record(Phase.OUTPUT, outputNanos)
    }
}
