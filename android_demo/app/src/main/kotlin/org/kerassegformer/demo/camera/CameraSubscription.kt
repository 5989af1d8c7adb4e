package org.kerassegformer.demo.camera

import android.os.Handler

/**
 * Delivers the events of one opened camera on the right threads, until it is cancelled on the main thread.
 *
 * @param main handler of the main thread
 */
internal class CameraSubscription(private val listener: CameraListener, private val main: Handler) : CameraListener {
    @Volatile
    var isCancelled = false
        private set

    /** The listener receives no more calls, except for a frame that it is just receiving. */
    fun cancel() {
        isCancelled = true
    }

    override fun onOpened(camera: OpenCamera) = onMain { listener.onOpened(camera) }

    override fun onFailed(failure: CameraFailure) = onMain { listener.onFailed(failure) }

    override fun onAvailable() = onMain { listener.onAvailable() }

    override fun onFrame(image: YuvImage, camera: OpenCamera) {
        if (isCancelled) image.close() else listener.onFrame(image, camera)
    }

    /** Calls [event] on the main thread, unless it is cancelled by then. */
    fun onMain(event: () -> Unit) {
        main.post { if (!isCancelled) event() }
    }
}
