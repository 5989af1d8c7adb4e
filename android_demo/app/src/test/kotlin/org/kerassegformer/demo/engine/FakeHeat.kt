package org.kerassegformer.demo.engine

import org.kerassegformer.core.ThermalStatus

/** A phone whose heat the test sets. */
internal class FakeHeat : HeatSource {
    private var listener: ((ThermalStatus) -> Unit)? = null
    private var status = ThermalStatus.NONE
    val isListenedTo: Boolean get() = listener != null

    override fun current(): ThermalStatus = status

    override fun listen(onChange: (ThermalStatus) -> Unit): AutoCloseable {
        listener = onChange
        return AutoCloseable { listener = null }
    }

    fun become(next: ThermalStatus) {
        status = next
        listener?.invoke(next)
    }
}
