package org.kerassegformer.demo.engine

import android.content.ComponentCallbacks2

/**
 * Returns the command for a level of `ComponentCallbacks2.onTrimMemory`, or null.
 *
 * In the foreground, only caches are freed; in the background, the model is unloaded too.
 */
internal fun trimCommand(level: Int): Command? = when {
    level >= ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN -> Command.Suspend
    level >= TRIM_MEMORY_RUNNING_LOW -> Command.FreeCaches
    else -> null
}

// The constant of ComponentCallbacks2 is deprecated, as API 34 and newer no longer send this level; older ones do.
private const val TRIM_MEMORY_RUNNING_LOW = 10
