package org.kerassegformer.demo.engine

import android.util.Log
import org.bytedeco.javacpp.Loader
import org.bytedeco.tensorflowlite.global.tensorflowlite
import org.kerassegformer.core.RuntimeVersion
import org.tensorflow.lite.TensorFlowLite

/**
 * TF Lite as a C library, by its JavaCPP bindings. It runs on the CPU only, and also on phones with memory pages of
 * 16 KB. The builds of the app for the store contain it, and the tests on the JVM run the same code.
 */
internal object TfLiteC {
    /** True if the library was packed and could be loaded. */
    val isAvailable: Boolean by lazy {
        try {
            Loader.load(tensorflowlite::class.java)
            true
        } catch (error: LinkageError) {
            Log.i(TAG, "The C library of TF Lite is not used: $error")
            false
        }
    }

    /** Version of the library. */
    fun version(): RuntimeVersion? = runtimeVersionOf(tensorflowlite.TfLiteVersion().string)

    private const val TAG = "TfLiteC"
}

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
