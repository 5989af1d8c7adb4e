package org.kerassegformer.demo.engine

import android.content.Context
import android.os.Build
import android.os.PowerManager
import org.kerassegformer.core.ThermalStatus

/** Tells how hot the phone is. */
internal interface HeatSource {
    /** The heat at present; null where the phone does not say. */
    fun current(): ThermalStatus?

    /** Calls [onChange] now and whenever the heat changes, on any thread, until the returned object is closed. */
    fun listen(onChange: (ThermalStatus) -> Unit): AutoCloseable
}

/** What Android's power manager says, from Android 10 on; before, phones do not say. */
internal class SystemHeatSource(context: Context) : HeatSource {
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
}
