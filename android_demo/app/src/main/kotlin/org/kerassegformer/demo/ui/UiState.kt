package org.kerassegformer.demo.ui

import org.kerassegformer.core.LatencySummary
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.ModelListing
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.SegmentedPicture

/**
 * Everything that the live screen shows at one time. Each change makes a new one, so that other threads read values
 * that belong together. Only [shown] has contents that change: images of video are reused, but never the one that is shown.
 *
 * @property unsupported processors that this build of the app can never use on this phone
 * @property listing the available models; null until they are read
 * @property shown the displayed image, without a mask before inference; null if there is none
 * @property camera the open camera, or null
 * @property epoch incremented when the source changes: labels of an earlier one are not shown
 * @property latency latencies of the latest frames, updated with every event and once per second
 * @property recordedSeconds length of the video that is recorded; null if there is none
 * @property displayDegrees rotation of the display from the natural orientation of the device
 */
internal data class UiState(
    val screen: ScreenState = ScreenState(),
    val settings: Settings = Settings(),
    val unsupported: Set<Processor> = emptySet(),
    val listing: ModelListing? = null,
    val engine: EngineState = EngineState.Idle,
    val thermal: ThermalState = ThermalState(ThermalStatus.NONE, null),
    val shown: SegmentedPicture? = null,
    val camera: OpenCamera? = null,
    val displayDegrees: Int = 0,
    val epoch: Int = 0,
    val latency: LatencySummary = LatencySummary(),
    val recordedSeconds: Int? = null,
) {
    /** The selected model, or the first one; null if there is none. */
    val model: StoredModel?
        get() {
            val models = listing?.models.orEmpty()
            return models.find { it.name == settings.model && it.imported == settings.modelImported }
                ?: models.firstOrNull()
        }

    /** The still image with its mask that can be saved, or null. */
    val savable: SegmentedPicture? get() = shown?.takeIf { screen.still && it.mask != null }
}
