package org.kerassegformer.demo.engine

import org.kerassegformer.core.FrameGovernor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** What the engine is to do next. */
internal sealed interface Order {
    data class Start(val model: StoredModel, val settings: EngineSettings) : Order

    data class Heated(val status: ThermalStatus) : Order

    data object ForgetFailures : Order

    data object FreeCaches : Order

    data object Suspend : Order

    /** @property dropped frames closed unseen since the frame before */
    data class Process(val frame: Frame, val dropped: Int) : Order

    data object End : Order
}

/**
 * Where all threads leave what they want of the engine, and where its thread waits.
 *
 * Each kind of order has one place, in which a newer one replaces the older. A frame that is replaced is closed.
 */
internal class Inbox {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val governor = FrameGovernor()
    private var start: Order.Start? = null
    private var heated: Order.Heated? = null
    private var forget: Order? = null
    private var free: Order? = null
    private var frame: Frame? = null
    private var dropped = 0
    private var takesFrames = false
    private var ended = false

    /** Leaves an order that is no frame. */
    fun put(order: Order) = change {
        when (order) {
            is Order.Start -> {
                start = order
                takesFrames = true
            }
            is Order.Heated -> {
                heated = order
                governor.status = order.status
            }
            Order.ForgetFailures -> forget = order
            Order.FreeCaches -> if (free == null) free = order
            Order.Suspend -> free = order
            Order.End -> ended = true
            is Order.Process -> error("Frames are put with their own method.")
        }
    }

    /** Takes [newer] in place of the frame that waits, or closes it and returns false where no frames are taken. */
    fun put(newer: Frame): Boolean {
        val (taken, unseen) = change {
            if (!takesFrames || ended) {
                false to newer
            } else {
                true to frame.also {
                    frame = newer
                    if (it != null) dropped++
                }
            }
        }
        unseen?.close()
        return taken
    }

    /** Closes the frame that waits. */
    fun dropFrame() {
        change { frame.also { frame = null } }?.close()
    }

    /** Takes no frame any more until the next [Order.Start], and closes the one that waits. */
    fun refuseFrames() {
        change {
            // A start that came meanwhile wants its frames.
            if (start != null) return@change null
            takesFrames = false
            frame.also { frame = null }
        }?.close()
    }

    /** Most frames per second at the present heat, or null for no limit. */
    fun maxFps(): Int? = change { governor.maxFps }

    /** Waits for the next order. Frames come last, and only as fast as the heat allows. */
    fun next(): Order {
        lock.withLock {
            while (true) {
                takeOrder()?.let { return it }
                if (frame == null) changed.await() else changed.await(HEAT_POLL_MILLIS, TimeUnit.MILLISECONDS)
            }
        }
    }

    private fun takeOrder(): Order? = when {
        ended -> Order.End
        // Before a start, which is to profit from it.
        forget != null -> forget.also { forget = null }
        start != null -> start.also { start = null }
        heated != null -> heated.also { heated = null }
        free != null -> free.also { free = null }
        else -> takeFrame()
    }

    private fun takeFrame(): Order? {
        val waiting = frame ?: return null
        if (!governor.admits(System.nanoTime())) return null
        return Order.Process(waiting, dropped).also {
            frame = null
            dropped = 0
        }
    }

    private fun <T> change(block: () -> T): T = lock.withLock {
        block().also { changed.signalAll() }
    }

    private companion object {
        const val HEAT_POLL_MILLIS = 10L
    }
}
