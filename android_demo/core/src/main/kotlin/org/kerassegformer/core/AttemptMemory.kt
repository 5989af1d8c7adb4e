package org.kerassegformer.core

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject

/** What became of a processor with a file. */
public enum class Outcome {
    /** Begun and never ended: the driver took the process with it. */
    CRASHED,

    /** It cannot run the file. */
    FAILED,

    /** Its labels were wrong. */
    REFUSED,
}

/**
 * What is remembered of an attempt.
 *
 * @property detail what happened, for people
 */
public data class Attempt(public val outcome: Outcome, public val detail: String)

/**
 * Remembers on disk which processors failed with which files, so that a driver that kills the process is tried once.
 *
 * An attempt is written as [Outcome.CRASHED] before it is made. A file that cannot be read counts as empty. For any
 * thread, but for one process.
 *
 * @param device what the memory holds for, such as `Build.FINGERPRINT`: with new drivers all is tried again
 */
public class AttemptMemory(private val file: File, private val device: String) {
    private val attempts = read()

    /**
     * Notes, on disk when this returns, that a processor is about to be tried.
     *
     * @throws IOException the note cannot be written; then do not try
     */
    @Synchronized
    public fun begin(processor: Processor, sha256: String) {
        remember(processor, sha256, Attempt(Outcome.CRASHED, "the app ended while ${processor.name} was tried"))
    }

    /**
     * Clears the note after the processor has worked.
     *
     * @throws IOException the change cannot be written; until the app ends it holds all the same
     */
    @Synchronized
    public fun succeed(processor: Processor, sha256: String) {
        if (attempts.remove(key(processor, sha256)) != null) write()
    }

    /**
     * Replaces the note by what was found.
     *
     * @throws IOException the change cannot be written; until the app ends it holds all the same
     */
    @Synchronized
    public fun fail(processor: Processor, sha256: String, attempt: Attempt) {
        remember(processor, sha256, attempt)
    }

    /** What is remembered, or null. */
    @Synchronized
    public fun of(processor: Processor, sha256: String): Attempt? = attempts[key(processor, sha256)]

    /**
     * Forgets everything, so that all is tried again.
     *
     * @throws IOException the change cannot be written; until the app ends it holds all the same
     */
    @Synchronized
    public fun forget() {
        attempts.clear()
        write()
    }

    private fun remember(processor: Processor, sha256: String, attempt: Attempt) {
        attempts[key(processor, sha256)] = attempt
        write()
    }

    private fun key(processor: Processor, sha256: String) = "${processor.name} $sha256"

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
        val notes = content.fields("attempts")
        return notes.names().associateWithTo(mutableMapOf()) { name ->
            val note = notes.fields(name)
            Attempt(note.choice("outcome", Outcome.entries) { it.name }, note.text("detail"))
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
        /** On disk, and whole, even if the process is killed meanwhile or right after. */
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
