package org.kerassegformer.demo.engine

import org.kerassegformer.core.ThermalStatus

/** A phone whose thermal status is set by the test. */
internal class FakeThermalMonitor : ThermalMonitor {
    private var listener: ((ThermalStatus) -> Unit)? = null
    private var status = ThermalStatus.NONE
    val hasListener: Boolean get() = listener != null

    override fun current(): ThermalStatus = status

    override fun listen(onChange: (ThermalStatus) -> Unit): AutoCloseable {
        listener = onChange
        return AutoCloseable { listener = null }
    }

    fun report(next: ThermalStatus) {
        status = next
        listener?.invoke(next)
    }
}
