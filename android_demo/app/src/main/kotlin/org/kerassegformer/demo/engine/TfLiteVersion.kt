package org.kerassegformer.demo.engine

import android.util.Log
import org.kerassegformer.core.RuntimeVersion
import org.tensorflow.lite.TensorFlowLite

/**
 * Returns the version of the TF Lite library that the app loads; null if the library cannot be loaded, or for LiteRT 2,
 * which runs the files of all versions.
 */
internal fun tfLiteVersion(isLiteRt: Boolean = isLiteRtPacked): RuntimeVersion? = try {
    if (isLiteRt) null else if (TfLiteC.isAvailable) TfLiteC.version() else runtimeVersionOf(TensorFlowLite.runtimeVersion())
} catch (error: LinkageError) {
    // Models are still listed: running one fails with the reason.
    Log.w(TAG, "TF Lite cannot be loaded.", error)
    null
} catch (error: IllegalStateException) {
    Log.w(TAG, "TF Lite cannot be loaded.", error)
    null
}

/** Parses a version such as `2.16.1`, also with a suffix such as `-rc1`. */
internal fun runtimeVersionOf(text: String): RuntimeVersion? = RuntimeVersion.parse(text.substringBefore('-'))

private const val TAG = "TfLite"
