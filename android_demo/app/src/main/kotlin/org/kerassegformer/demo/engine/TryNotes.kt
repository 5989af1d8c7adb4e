package org.kerassegformer.demo.engine

import org.kerassegformer.core.Attempt
import org.kerassegformer.core.AttemptMemory
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Outcome
import org.kerassegformer.core.Processor
import java.io.File
import java.io.IOException

/**
 * Notes on disk of what is being tried, and of what came of it.
 *
 * @property memory what is remembered of each processor and file
 * @param current names the try that is going on: found at a start, it is that in which the last process ended
 */
internal class TryNotes(val memory: AttemptMemory, private val current: File) {
    /** Whether an earlier try ended the app. */
    fun endedTheApp(processor: Processor, file: ModelFile): Boolean =
        memory.of(processor, file.spec.sha256)?.outcome == Outcome.CRASHED

    /** Notes that a try begins. @throws IOException the note cannot be written: do not try */
    fun begin(processor: Processor, file: ModelFile) {
        try {
            current.writeText("${processor.name} ${file.spec.sha256}")
            memory.begin(processor, file.spec.sha256)
        } catch (failure: IOException) {
            // What is not on disk is still in memory; a later start, with more space, may try.
            end(processor, file, null)
            throw failure
        }
    }

    /** Notes that a try has ended with [finding], or with nothing to remember. */
    fun end(processor: Processor, file: ModelFile, finding: Attempt?) {
        try {
            val sha256 = file.spec.sha256
            if (finding == null) memory.succeed(processor, sha256) else memory.fail(processor, sha256, finding)
            current.delete()
        } catch (_: IOException) {
            // The note then stays, and the processor is left out at the next start: the safe side.
        }
    }

    /**
     * Runs [block], which tries the CPU, under a note. A full disk is no reason to leave out the processor that needs
     * no driver, and only a crash is held against it: nothing else can run the model.
     */
    fun <T> onCpu(file: ModelFile, block: () -> T): T {
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

    /** Forgets all findings. */
    fun forget() {
        try {
            memory.forget()
        } catch (_: IOException) {
            // It holds until the app ends, and on a full disk no accelerator is tried anyway.
        }
    }

    /**
     * Call once at the start of the process: clears the note of a try that was going on when the last process ended, if
     * [wasInnocent] says that it ended for another reason, such as the user who did not want to wait.
     */
    fun judgeLast(wasInnocent: () -> Boolean) {
        val (processor, sha256) = readCurrent() ?: return
        try {
            if (wasInnocent()) memory.succeed(processor, sha256)
            current.delete()
        } catch (_: IOException) {
            // It is judged again at the next start.
        }
    }

    private fun readCurrent(): Pair<Processor, String>? {
        if (!current.exists()) return null
        val words = current.readText().split(' ')
        val processor = Processor.entries.firstOrNull { it.name == words.first() } ?: return null
        return processor to words.last()
    }
}
