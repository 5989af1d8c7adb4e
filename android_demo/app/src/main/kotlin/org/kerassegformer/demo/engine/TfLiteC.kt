package org.kerassegformer.demo.engine

import android.util.Log
import org.bytedeco.javacpp.Loader
import org.bytedeco.tensorflowlite.global.tensorflowlite
import org.kerassegformer.core.RuntimeVersion

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
