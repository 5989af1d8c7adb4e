package org.kerassegformer.core

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject

/** Result of running a model file on a processor. */
public enum class Outcome {
    /** The attempt has started and not finished: it is in progress, or the process died with it. */
    RUNNING,

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

/**
 * Crash log: records on disk which processors failed with which files, so that a driver that kills the process is tried
 * only once.
 *
 * An attempt is logged as [Outcome.RUNNING] before it starts. An unreadable log counts as empty. Thread-safe, but for
 * one process only.
 *
 * @param device identifies the drivers, such as `Build.FINGERPRINT`; entries of another device are ignored
 */
public class CrashLog(private val file: File, private val device: String) {
    private val attempts = read()

    /** Returns the logged attempt, or null. */
    @Synchronized
    public fun attempt(processor: Processor, file: ModelFile): Attempt? = attempts[key(processor, file)]

    /** Returns true if an attempt with this processor and file did not finish. */
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
        attempts[key] = Attempt(Outcome.RUNNING, "the app ended while ${processor.name} was tried")
        try {
            write()
        } catch (failure: IOException) {
            // A later start, with more free space, may try again.
            attempts.remove(key)
            throw failure
        }
    }

    /** Logs the end of an attempt with its [failure], or removes its entry if that is null. */
    @Synchronized
    public fun end(processor: Processor, file: ModelFile, failure: Attempt?) {
        val key = key(processor, file)
        if (failure == null) attempts.remove(key) else attempts[key] = failure
        // If writing fails, the entry on disk stays RUNNING and the next start skips the processor: the safe side.
        writeIfPossible()
    }

    /**
     * Runs [block], which uses the CPU, as a logged attempt. The CPU needs no driver and has no fallback: it also runs
     * when the log cannot be written, and only crashes are held against it.
     */
    public fun <T> logCpuAttempt(file: ModelFile, block: () -> T): T {
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
        attempts.clear()
        writeIfPossible()
    }

    /**
     * Resolves the attempts that were running when the last process ended. Call once per process, before any attempt.
     *
     * @param wasBenign returns true if the process ended for another reason than a crash, such as a swipe by the user;
     *   only called if there is such an attempt
     */
    @Synchronized
    public fun resolveInterrupted(wasBenign: () -> Boolean) {
        val interrupted = attempts.filterValues { it.outcome == Outcome.RUNNING }
        if (interrupted.isEmpty()) return
        val isBenign = wasBenign()
        for ((key, attempt) in interrupted) {
            if (isBenign) attempts.remove(key) else attempts[key] = attempt.copy(outcome = Outcome.CRASHED)
        }
        writeIfPossible()
    }

    private fun key(processor: Processor, file: ModelFile) = "${processor.name} ${file.spec.sha256}"

    private fun read(): MutableMap<String, Attempt> = try {
        parse(file.readText())
    } catch (_: IOException) {
        mutableMapOf()
    } catch (_: ModelException) {
        mutableMapOf()
    }

    private fun parse(text: String): MutableMap<String, Attempt> {
        val content = JsonFields.parse(text, remedy = "")
        if (content.text("device") != device) return mutableMapOf()
        val entries = content.fields("attempts")
        return entries.names().associateWithTo(mutableMapOf()) { name ->
            val entry = entries.fields(name)
            Attempt(entry.choice("outcome", Outcome.entries) { it.name }, entry.text("detail"))
        }
    }

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
                for ((key, attempt) in attempts) {
                    putJsonObject(key) {
                        put("outcome", attempt.outcome.name)
                        put("detail", attempt.detail)
                    }
                }
            }
        }
        replaceFile(file, content.toString())
    }

    private companion object {
        /** Replaces a file atomically and durably, even if the process is killed meanwhile or right after. */
        fun replaceFile(file: File, text: String) {
            val target = file.absoluteFile
            Files.createDirectories(target.parentFile.toPath())
            val draft = File(target.path + ".new")
            FileOutputStream(draft).use {
                it.write(text.toByteArray())
                it.fd.sync()
            }
            Files.move(draft.toPath(), target.toPath(), StandardCopyOption.ATOMIC_MOVE)
        }
    }
}
