package org.kerassegformer.demo.engine

import android.content.ComponentCallbacks2
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withTimeoutOrNull
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.FrameRateLimiter
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel

/** What the engine does next. */
internal sealed interface Command {
    data class Start(val model: StoredModel, val settings: EngineSettings) : Command

    data class UpdateThermalStatus(val status: ThermalStatus) : Command

    data object ForgetFailures : Command

    data object FreeCaches : Command

    data object Suspend : Command

    /** @property dropped frames dropped since the previous one */
    data class ProcessFrame(val frame: Frame, val dropped: Int) : Command

    /**
     * Progress of trying accelerators beside the CPU.
     *
     * @property search number of the search that it belongs to
     * @property rejected the processors that are not used, with those tried so far
     * @property trying the processor that is tried next, or null
     * @property accepted the processor to use from now on, or null
     */
    data class Tried(
        val search: Int,
        val rejected: List<Rejection>,
        val trying: Processor? = null,
        val accepted: AcceptedCandidate? = null,
    ) : Command
}

/** An accelerator that passed the self-check. */
internal class AcceptedCandidate(val candidate: Candidate, val result: TrialResult.Accepted)

/**
 * Conflated queue of the engine: any thread posts, the engine's coroutine takes.
 *
 * It holds at most one command of each kind, except for [Command.Tried]; a newer one replaces the older. A frame that is
 * replaced is closed. A conflated channel alone would neither know kinds nor count frames: here it only wakes the engine.
 */
internal class CommandQueue {
    private val changed = Channel<Unit>(Channel.CONFLATED)
    private val rateLimiter = FrameRateLimiter()
    private var start: Command.Start? = null
    private var thermalUpdate: Command.UpdateThermalStatus? = null
    private var forget: Command? = null
    private var free: Command? = null
    private val tried = ArrayDeque<Command.Tried>()
    private var frame: Frame? = null
    private var dropped = 0
    private var acceptsFrames = false
    private var closed = false

    /** Posts a command other than [Command.ProcessFrame] and [Command.Tried]. */
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
            is Command.ProcessFrame, is Command.Tried -> error("$command has a method of its own.")
        }
    }

    /** Posts progress; closes an accepted model and returns false if the queue is closed. */
    fun postTried(progress: Command.Tried): Boolean {
        val isOpen = change { !closed && tried.add(progress) }
        if (!isOpen) progress.accepted?.result?.loaded?.close()
        return isOpen
    }

    /** Accepts nothing any longer; closes the waiting frame and the accepted models that were not taken. */
    fun close() {
        val left = change {
            closed = true
            tried.toList().also { tried.clear() }
        }
        left.forEach { it.accepted?.result?.loaded?.close() }
        dropFrame()
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
    @Synchronized
    fun maxFps(): Int? = rateLimiter.maxFps

    /** Waits for the next command. Frames have the lowest priority, and are throttled on a hot phone. */
    suspend fun take(): Command {
        while (true) {
            currentCoroutineContext().ensureActive()
            poll()?.let { return it }
            if (isThrottled()) withTimeoutOrNull(THROTTLE_POLL_MILLIS) { changed.receive() } else changed.receive()
        }
    }

    @Synchronized
    private fun isThrottled(): Boolean = frame != null

    @Synchronized
    private fun poll(): Command? = when {
        // Before a start, which then tries all processors again.
        forget != null -> forget.also { forget = null }
        start != null -> start.also { start = null }
        tried.isNotEmpty() -> tried.removeFirst()
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

    private inline fun <T> change(block: () -> T): T = synchronized(this, block).also { changed.trySend(Unit) }

    private companion object {
        const val THROTTLE_POLL_MILLIS = 10L
    }
}

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
