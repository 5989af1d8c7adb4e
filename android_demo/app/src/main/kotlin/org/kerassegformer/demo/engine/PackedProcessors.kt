package org.kerassegformer.demo.engine

import android.content.Context
import android.system.Os
import android.system.OsConstants
import dalvik.system.BaseDexClassLoader
import org.kerassegformer.core.Processor

/** Returns the processors that this build of the app cannot use on this phone, with the reason in English. */
internal fun unsupportedProcessors(context: Context): Map<Processor, String> {
    // LiteRT has its own libraries for all processors; an NPU that they do not support is reported when it is tried.
    if (isLiteRtPacked) return emptyMap()
    val loader = context.classLoader as? BaseDexClassLoader
    val pageBytes = Os.sysconf(OsConstants._SC_PAGESIZE)
    return unsupportedProcessors(pageBytes) { loader?.findLibrary(it) != null }
}

/**
 * The delegates of TF Lite 2.16, the last version that can be had with them outside of Google's repository, are built
 * for memory pages of 4 KB. The builds for the store do not contain them.
 */
internal fun unsupportedProcessors(pageBytes: Long, isPacked: (library: String) -> Boolean): Map<Processor, String> {
    val isTooLarge = pageBytes > LARGEST_PAGE
    return DELEGATES.mapNotNull { (processor, library) ->
        when {
            !isPacked(library) -> processor to "this build of the app contains no delegate for it"
            isTooLarge -> processor to "its delegate needs memory pages of 4 KB, this phone has ${pageBytes / 1024} KB"
            else -> null
        }
    }.toMap()
}

private const val LARGEST_PAGE = 4096L
private val DELEGATES = mapOf(
    Processor.GPU to "tensorflowlite_gpu_jni",
    Processor.NNAPI to "tensorflowlite_jni",
)
