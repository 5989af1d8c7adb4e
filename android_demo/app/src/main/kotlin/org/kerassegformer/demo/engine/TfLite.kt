package org.kerassegformer.demo.engine

import android.util.Log
import org.bytedeco.javacpp.Loader
import org.bytedeco.tensorflowlite.global.tensorflowlite
import org.kerassegformer.core.RuntimeVersion
import org.tensorflow.lite.TensorFlowLite

/**
 * The TF Lite that runs models on the CPU in every build of the app: its C++ library by JavaCPP, for memory pages of 4
 * and 16 KB. The tests on the JVM run the same code.
 */
internal object CpuLibrary {
    private const val LOADS_ITSELF = "org.bytedeco.javacpp.loadlibraries"
    private val LIBRARIES = listOf("jnijavacpp", "jnitensorflowlite")

    init {
        // JavaCPP would refuse allocations above four times Java's heap, counting the memory of the whole process. Images of
        // the camera and programs of a GPU exceed that. It reads this property when its first class is loaded.
        System.setProperty("org.bytedeco.javacpp.maxphysicalbytes", "0")
    }

    /** True if the system has loaded the libraries of the app, false if JavaCPP has loaded copies of them. */
    val isLoadedInPlace: Boolean by lazy { loadInPlace() || copyAndLoad() }

    /** Version of the library. Loads it, which takes a while: not on the main thread. @throws LinkageError it cannot */
    fun version(): RuntimeVersion? {
        load()
        return runtimeVersionOf(tensorflowlite.TfLiteVersion().string)
    }

    /** Loads the library, once. @throws LinkageError it cannot be loaded */
    fun load() {
        isLoadedInPlace
    }

    /** JavaCPP itself would first copy the libraries, 12 MB, out of the APK into a folder that others may empty. */
    private fun loadInPlace(): Boolean {
        System.setProperty(LOADS_ITSELF, "false")
        return try {
            for (library in LIBRARIES) System.loadLibrary(library)
            true
        } catch (error: UnsatisfiedLinkError) {
            Log.i(TAG, "JavaCPP looks for the libraries: $error")
            System.clearProperty(LOADS_ITSELF)
            false
        }
    }

    private fun copyAndLoad(): Boolean {
        Loader.load(tensorflowlite::class.java)
        return false
    }
}

/**
 * Returns the version of the TF Lite that runs models on the CPU; null if its library cannot be loaded, or for LiteRT 2,
 * which runs the files of all versions.
 */
internal fun tfLiteVersion(isLiteRt: Boolean = isLiteRtPacked): RuntimeVersion? = try {
    if (isLiteRt) null else CpuLibrary.version()
} catch (error: LinkageError) {
    // Models are still listed: running one fails with the reason.
    Log.w(TAG, "TF Lite cannot be loaded.", error)
    null
}

/** Returns the version of the TF Lite that has the delegates, and loads it: only where memory pages have 4 KB. */
internal fun delegateVersion(): RuntimeVersion? = runtimeVersionOf(TensorFlowLite.runtimeVersion())

/**
 * Checks that a delegate can run a file: the models of the app are only checked against [tfLiteVersion], which is newer.
 *
 * @throws IllegalArgumentException the file needs a newer version than [runtime]
 */
internal fun checkDelegateRuntime(minimum: RuntimeVersion, runtime: RuntimeVersion?) =
    require(runtime == null || minimum <= runtime) {
        "The file needs TF Lite $minimum, but the delegates are those of $runtime: convert it with --runtime tflite-2.16."
    }

/** Parses a version such as `2.16.1`, also with a suffix such as `-rc1`. */
internal fun runtimeVersionOf(text: String): RuntimeVersion? = RuntimeVersion.parse(text.substringBefore('-'))

private const val TAG = "TfLite"
