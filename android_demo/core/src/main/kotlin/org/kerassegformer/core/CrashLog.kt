package org.kerassegformer.core

import java.io.File
import java.io.IOException
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject

/** Result of running a model file on a processor. */
public enum class Outcome {
    /** The attempt has started and not finished: it is in progress, or the process ended with it. */
    RUNNING,

    /** The process ended during the attempt for an unknown reason, and not often enough to blame the driver. */
    INTERRUPTED,

    /** The driver crashed the process. */
    CRASHED,

    /** The processor cannot run the file. */
    FAILED,

    /** The labels did not pass the self-check. */
    REJECTED,
}

/**
 * A logged attempt.
 *
 * @property detail what happened, in English
 */
public data class Attempt(public val outcome: Outcome, public val detail: String)

/** Why a process ended. */
public enum class ExitCause {
    /** Native code crashed. */
    CRASH,

    /** The user or the system ended it for a reason that has nothing to do with the attempt. */
    BENIGN,

    /** The system does not tell, or its reason allows no conclusion. */
    UNKNOWN,
}

/**
 * Crash log: records on disk which processors failed with which files, so that a driver that kills the process is not
 * tried at every start.
 *
 * An attempt is logged as [Outcome.RUNNING] before it starts. If the process ends meanwhile, [resolveInterrupted]
 * decides at the next start whether the driver is to blame: an app may also be swiped away. Entries expire after
 * [KEPT_DAYS] days, as drivers are updated without the system. An unreadable log counts as empty. Thread-safe, but for
 * one process at a time. Reads its file when it is first used.
 *
 * @param device identifies the drivers, such as `Build.FINGERPRINT`; entries of another device are ignored
 * @param process ID of this process
 * @param now the time in milliseconds since 1970
 */
public class CrashLog(
    private val file: File,
    device: () -> String,
    private val process: Int,
    private val now: () -> Long = System::currentTimeMillis,
) {
    private val device by lazy(device)
    private val entries by lazy(::read)

    /** Returns the logged attempt that speaks against the processor, or null. */
    @Synchronized
    public fun attempt(processor: Processor, file: ModelFile): Attempt? =
        entries[key(processor, file)]?.takeIf { it.blames(process) }?.attempt

    /** Returns true if an attempt with this processor and file ended the process, or may have. */
    public fun hasCrashed(processor: Processor, file: ModelFile): Boolean =
        attempt(processor, file)?.outcome.let { it == Outcome.RUNNING || it == Outcome.CRASHED }

    /**
     * Logs the start of an attempt. The entry is on disk when this returns.
     *
     * @throws IOException the log cannot be written: do not start the attempt
     */
    @Synchronized
    public fun begin(processor: Processor, file: ModelFile) {
        val key = key(processor, file)
        val before = entries[key]
        val running = Attempt(Outcome.RUNNING, "the app ended while ${processor.name} was tried")
        entries[key] = Entry(running, now(), process, before?.ends ?: 0)
        try {
            write()
        } catch (failure: IOException) {
            // A later start, with more free space, may try again.
            if (before == null) entries.remove(key) else entries[key] = before
            throw failure
        }
    }

    /** Logs the end of an attempt with its [failure], or removes its entry if that is null. */
    @Synchronized
    public fun end(processor: Processor, file: ModelFile, failure: Attempt?) {
        val key = key(processor, file)
        if (failure == null) entries.remove(key) else entries[key] = Entry(failure, now(), process)
        // If writing fails, the entry on disk stays RUNNING and the next start skips the processor: the safe side.
        writeIfPossible()
    }

    /**
     * Runs [block], which uses the CPU, as a logged attempt. The CPU needs no driver and has no fallback: it also runs
     * when the log cannot be written, and only crashes are held against it.
     */
    public inline fun <T> logCpuAttempt(file: ModelFile, block: () -> T): T {
        try {
            begin(Processor.CPU, file)
        } catch (_: IOException) {
        }
        try {
            return block()
        } finally {
            end(Processor.CPU, file, null)
        }
    }

    /** Removes all entries, so that every processor is tried again. */
    @Synchronized
    public fun clear() {
        entries.clear()
        writeIfPossible()
    }

    /**
     * Resolves the attempts that were running when an earlier process ended. Call it before any attempt.
     *
     * A crash blames the driver at once; an unknown cause does so after [ENDS_BEFORE_BLAME] ends in a row.
     *
     * @param causeOf returns why the process with this ID ended; only called if there is such an attempt
     */
    @Synchronized
    public fun resolveInterrupted(causeOf: (process: Int) -> ExitCause) {
        val interrupted = entries.filterValues { it.attempt.outcome == Outcome.RUNNING && it.process != process }
        if (interrupted.isEmpty()) return
        for ((key, entry) in interrupted) {
            val cause = causeOf(entry.process)
            val ends = entry.ends + if (cause == ExitCause.UNKNOWN) 1 else 0
            val outcome = when (cause) {
                ExitCause.CRASH -> Outcome.CRASHED
                ExitCause.UNKNOWN if ends >= ENDS_BEFORE_BLAME -> Outcome.CRASHED
                else -> Outcome.INTERRUPTED
            }
            if (outcome == Outcome.INTERRUPTED && ends == 0) {
                entries.remove(key)
            } else {
                entries[key] = entry.copy(attempt = entry.attempt.copy(outcome = outcome), ends = ends)
            }
        }
        writeIfPossible()
    }

    private fun key(processor: Processor, file: ModelFile) = "${processor.name} ${file.spec.sha256}"

    private fun read(): MutableMap<String, Entry> = try {
        parse(file.readText())
    } catch (_: IOException) {
        mutableMapOf()
    } catch (_: ModelException) {
        mutableMapOf()
    }

    private fun parse(text: String): MutableMap<String, Entry> {
        val content = JsonFields.parse(text, remedy = "")
        if (content.text("device") != device) return mutableMapOf()
        val attempts = content.fields("attempts")
        val all = attempts.names().associateWith { parse(attempts.fields(it)) }
        // An entry from the future is one of a clock that was wrong.
        return all.filterValues { now() - it.at in 0..KEPT_MILLIS }.toMutableMap()
    }

    private fun parse(entry: JsonFields) = Entry(
        Attempt(entry.choice("outcome", Outcome.entries) { it.name }, entry.text("detail")),
        at = entry.integer("at", Long.MIN_VALUE..Long.MAX_VALUE),
        process = entry.integer("process", 0..Int.MAX_VALUE.toLong()).toInt(),
        ends = entry.integer("ends", 0..Int.MAX_VALUE.toLong()).toInt(),
    )

    private fun writeIfPossible() {
        try {
            write()
        } catch (_: IOException) {
            // The entries in memory still hold until the process ends.
        }
    }

    private fun write() {
        val content = buildJsonObject {
            put("device", device)
            putJsonObject("attempts") {
                for ((key, entry) in entries) {
                    putJsonObject(key) {
                        put("outcome", entry.attempt.outcome.name)
                        put("detail", entry.attempt.detail)
                        put("at", entry.at)
                        put("process", entry.process)
                        put("ends", entry.ends)
                    }
                }
            }
        }
        file.replaceText(content.toString())
    }

    /**
     * @property at time of the last change
     * @property process ID of the process that made the attempt
     * @property ends number of processes in a row that ended during it for an unknown reason
     */
    private data class Entry(val attempt: Attempt, val at: Long, val process: Int, val ends: Int = 0) {
        /** False for attempts that are tried again, and for one in progress. */
        fun blames(current: Int): Boolean = when (attempt.outcome) {
            Outcome.INTERRUPTED -> false
            Outcome.RUNNING -> process != current
            else -> true
        }
    }

    public companion object {
        /** Number of unexplained ends of the process after which the driver is blamed. */
        public const val ENDS_BEFORE_BLAME: Int = 2

        /** Days after which an entry expires. */
        public const val KEPT_DAYS: Long = 30
        internal const val KEPT_MILLIS: Long = KEPT_DAYS * 24 * 60 * 60 * 1000
    }
}
