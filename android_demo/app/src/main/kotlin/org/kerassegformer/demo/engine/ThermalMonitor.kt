package org.kerassegformer.demo.engine

import android.content.Context
import android.os.Build
import android.os.PowerManager
import org.kerassegformer.core.ThermalStatus

/**
 * Thermal status of the phone, and how it throttles the engine.
 *
 * @property maxFps maximum frames per second, 0 for none at all; null for no limit
 */
internal data class ThermalState(val status: ThermalStatus, val maxFps: Int?) {
    val isThrottled: Boolean get() = maxFps != null
}

/** Reports the thermal status of the phone. */
internal interface ThermalMonitor {
    /** The current status; null if the phone does not report it. */
    fun current(): ThermalStatus?

    /** Calls [onChange] now and whenever the status changes, on any thread, until the returned object is closed. */
    fun listen(onChange: (ThermalStatus) -> Unit): AutoCloseable
}

/** Uses Android's power manager, which reports the thermal status since Android 10. */
internal class SystemThermalMonitor(context: Context) : ThermalMonitor {
    private val power: PowerManager? = context.getSystemService(PowerManager::class.java)

    override fun current(): ThermalStatus? {
        if (power == null || Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return null
        return ThermalStatus.of(power.currentThermalStatus)
    }

    override fun listen(onChange: (ThermalStatus) -> Unit): AutoCloseable {
        if (power == null || Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return AutoCloseable {}
        val listener = PowerManager.OnThermalStatusChangedListener { onChange(ThermalStatus.of(it)) }
        power.addThermalStatusListener(listener)
        return AutoCloseable { power.removeThermalStatusListener(listener) }
    }

    internal companion object {
        /** Returns true if this Android version reports the thermal status. */
        fun isSupported(): Boolean = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q
    }
}
