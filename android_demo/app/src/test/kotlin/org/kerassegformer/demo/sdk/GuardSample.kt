package org.kerassegformer.demo.sdk

import android.os.Build
import android.os.PowerManager
import org.kerassegformer.demo.RequiresSdk

/** Test data for [NewerApi]: thermal status requires Android 10 (29), thermal headroom 11 (30). */
internal class GuardSample(private val power: PowerManager) {
    fun guarded(): Int = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) power.currentThermalStatus else 0

    fun guardedByAnEarlyReturn(): Int {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return 0
        return power.currentThermalStatus
    }

    fun guardedInALambda(): () -> Int =
        if (Build.VERSION.SDK_INT > Build.VERSION_CODES.P) ({ power.currentThermalStatus }) else ({ 0 })

    fun guardedInAPrivateFunction(): Int = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) status() else 0

    private fun status(): Int = power.currentThermalStatus

    fun guardedInAnObject(): Any? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            object : Any() {
                override fun toString(): String = power.getThermalHeadroom(0).toString()
            }
        } else {
            null
        }

    fun another(): GuardSample = GuardSample(power)

    @RequiresSdk(Build.VERSION_CODES.Q)
    fun marked(): Int = power.currentThermalStatus

    fun guardedMark(): Int = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) marked() else 0

    fun unguarded(): Int = power.currentThermalStatus

    fun guardedTheWrongWay(): Int = if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) power.currentThermalStatus else 0

    fun guardedTooLow(): Float = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) power.getThermalHeadroom(0) else 0f

    fun guardedOnOnePath(tried: Boolean): Int {
        if (tried && Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return 0
        return power.currentThermalStatus
    }

    fun guardedAtOneOfTwoCalls(): Int = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) headroom() else headroom()

    private fun headroom(): Int = power.getThermalHeadroom(1).toInt()

    fun unguardedLambda(): () -> Int = { power.currentThermalStatus }

    fun unguardedMark(): Int = marked()

    fun unguardedAfterAFailure(): Int =
        try {
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) 1 else 0
        } catch (_: IllegalStateException) {
            power.currentThermalStatus
        }

    fun unlisted(): Boolean = power.isDeviceLightIdleMode
}
