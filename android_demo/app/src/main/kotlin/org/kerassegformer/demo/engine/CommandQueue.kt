package org.kerassegformer.demo.engine

import org.kerassegformer.core.FrameRateLimiter
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** What the engine does next. */
internal sealed interface Command {
    data class Start(val model: StoredModel, val settings: EngineSettings) : Command

    data class UpdateThermalStatus(val status: ThermalStatus) : Command

    data object ForgetFailures : Command

    data object FreeCaches : Command

    data object Suspend : Command

    /** @property dropped frames dropped since the previous one */
    data class ProcessFrame(val frame: Frame, val dropped: Int) : Command

    data object Close : Command
}

/**
 * Conflated queue of the engine's thread: any thread posts, the engine's thread takes.
 *
 * It holds at most one command of each kind; a newer one replaces the older. A frame that is replaced is closed.
 */
internal class CommandQueue {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val rateLimiter = FrameRateLimiter()
    private var start: Command.Start? = null
    private var thermalUpdate: Command.UpdateThermalStatus? = null
    private var forget: Command? = null
    private var free: Command? = null
    private var frame: Frame? = null
    private var dropped = 0
    private var acceptsFrames = false
    private var closed = false

    /** Posts a command other than [Command.ProcessFrame]. */
    fun post(command: Command) = change {
        when (command) {
            is Command.Start -> {
                start = command
                acceptsFrames = true
            }
            is Command.UpdateThermalStatus -> {
                thermalUpdate = command
                rateLimiter.status = command.status
            }
            Command.ForgetFailures -> forget = command
            Command.FreeCaches -> if (free == null) free = command
            Command.Suspend -> free = command
            Command.Close -> closed = true
            is Command.ProcessFrame -> error("Frames are posted with postFrame.")
        }
    }

    /** Replaces the waiting frame by [newer]; closes [newer] and returns false if no frames are accepted. */
    fun postFrame(newer: Frame): Boolean {
        val (accepted, unused) = change {
            if (!acceptsFrames || closed) {
                false to newer
            } else {
                true to frame.also {
                    frame = newer
                    if (it != null) dropped++
                }
            }
        }
        unused?.close()
        return accepted
    }

    /** Closes the waiting frame. */
    fun dropFrame() {
        change { frame.also { frame = null } }?.close()
    }

    /** Rejects frames until the next [Command.Start], and closes the waiting one. */
    fun rejectFrames() {
        change {
            // A start that was posted meanwhile needs its frames.
            if (start != null) return@change null
            acceptsFrames = false
            frame.also { frame = null }
        }?.close()
    }

    /** Maximum frames per second at the current thermal status, or null for no limit. */
    fun maxFps(): Int? = change { rateLimiter.maxFps }

    /** Waits for the next command. Frames have the lowest priority, and are throttled on a hot phone. */
    fun take(): Command {
        lock.withLock {
            while (true) {
                poll()?.let { return it }
                if (frame == null) changed.await() else changed.await(THROTTLE_POLL_MILLIS, TimeUnit.MILLISECONDS)
            }
        }
    }

    private fun poll(): Command? = when {
        closed -> Command.Close
        // Before a start, which then tries all processors again.
        forget != null -> forget.also { forget = null }
        start != null -> start.also { start = null }
        thermalUpdate != null -> thermalUpdate.also { thermalUpdate = null }
        free != null -> free.also { free = null }
        else -> pollFrame()
    }

    private fun pollFrame(): Command? {
        val waiting = frame ?: return null
        if (!rateLimiter.admits(System.nanoTime())) return null
        return Command.ProcessFrame(waiting, dropped).also {
            frame = null
            dropped = 0
        }
    }

    private fun <T> change(block: () -> T): T = lock.withLock {
        block().also { changed.signalAll() }
    }

    private companion object {
        const val THROTTLE_POLL_MILLIS = 10L
    }
}
