package org.kerassegformer.demo.engine

import android.content.ComponentCallbacks2

/**
 * What a level of `ComponentCallbacks2.onTrimMemory` asks of the engine; null for nothing.
 *
 * In sight, the model is needed, and only what is kept for later is freed. Out of sight, the model goes as well.
 */
internal fun memoryOrder(level: Int): Order? = when {
    level >= ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN -> Order.Suspend
    level >= TRIM_MEMORY_RUNNING_LOW -> Order.FreeCaches
    else -> null
}

// ComponentCallbacks2 has it as deprecated: systems from API 34 on no longer send it, those before it do.
private const val TRIM_MEMORY_RUNNING_LOW = 10
