package org.kerassegformer.core

import java.io.File
import java.io.IOException
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject

/**
 * A self-check that an accelerator passed.
 *
 * @property agreement share 0..1 of the labels that equal the CPU's
 * @property nanos duration of one run, in nanoseconds
 */
public data class PassedCheck(public val agreement: Double, public val nanos: Long)

/**
 * The self-checks that accelerators passed, on disk, so that the next start may use an accelerator before it is checked
 * again.
 *
 * A pass holds for a fingerprint: the device and the app, the driver, and the checksums of the accelerator's file and of
 * the one that it was compared with. It is forgotten [CrashLog.KEPT_DAYS] days after the last check, and when a process
 * ended while it used the accelerator, unless it is known that the accelerator was not the cause. An unreadable file
 * counts as empty; it is read at the first use. Thread-safe, but for one process at a time.
 *
 * @param device identifies the system and the app with its libraries; passes of another one are ignored
 * @param process ID of this process
 * @param driver returns what is known of the driver of a processor
 * @param now the time in milliseconds since 1970
 */
public class PassedChecks(
    private val file: File,
    device: () -> String,
    private val process: Int,
    private val driver: (Processor) -> String,
    private val now: () -> Long = System::currentTimeMillis,
) {
    private val device by lazy(device)
    private val passes by lazy(::read)
    private val uses = HashMap<String, Int>()

    /** Returns the check that [candidate] passed by comparison with [reference], or null. */
    @Synchronized
    public fun find(candidate: Candidate, reference: ModelFile): PassedCheck? = passes[keyOf(candidate)]
        ?.takeIf { it.reference == reference.spec.sha256 && it.driver == driver(candidate.processor) }
        ?.check

    /** Remembers that [candidate] has just passed [check], by comparison with [reference]. */
    @Synchronized
    public fun remember(candidate: Candidate, reference: ModelFile, check: PassedCheck) {
        val key = keyOf(candidate)
        passes[key] = Pass(check, reference.spec.sha256, driver(candidate.processor), now(), userOf(key))
        write()
    }

    /** Forgets the check of [candidate], which has failed since. */
    @Synchronized
    public fun forget(candidate: Candidate) {
        if (passes.remove(keyOf(candidate)) != null) write()
    }

    /** Forgets all checks. */
    @Synchronized
    public fun clear() {
        passes.clear()
        write()
    }

    /** From now to [endUse], the end of this process may be the fault of [candidate]. On disk when this returns. */
    @Synchronized
    public fun startUse(candidate: Candidate): Unit = count(keyOf(candidate), 1)

    /** See [startUse]. */
    @Synchronized
    public fun endUse(candidate: Candidate): Unit = count(keyOf(candidate), -1)

    /**
     * Forgets the checks of accelerators that earlier processes used until they ended. Call it before [find].
     *
     * @param causeOf returns why the process with this ID ended; only called if there is such an accelerator
     */
    @Synchronized
    public fun resolveInterrupted(causeOf: (process: Int) -> ExitCause) {
        val interrupted = passes.filterValues { it.user != NOBODY && it.user != process }
        if (interrupted.isEmpty()) return
        for ((key, pass) in interrupted) {
            if (causeOf(pass.user) == ExitCause.BENIGN) passes[key] = pass.copy(user = NOBODY) else passes.remove(key)
        }
        write()
    }

    private fun count(key: String, change: Int) {
        uses[key] = (uses[key] ?: 0) + change
        val pass = passes[key] ?: return
        val user = userOf(key)
        if (pass.user == user) return
        passes[key] = pass.copy(user = user)
        write()
    }

    private fun userOf(key: String): Int = if ((uses[key] ?: 0) > 0) process else NOBODY

    private fun keyOf(candidate: Candidate) = "${candidate.processor.name} ${candidate.file.spec.sha256}"

    private fun read(): MutableMap<String, Pass> = try {
        val content = JsonFields.parse(file.readText(), remedy = "")
        if (content.text("device") == device) passesOf(content.fields("passes")) else mutableMapOf()
    } catch (_: IOException) {
        mutableMapOf()
    } catch (_: ModelException) {
        mutableMapOf()
    }

    private fun passesOf(content: JsonFields): MutableMap<String, Pass> =
        content.names().associateWith { Pass.of(content.fields(it)) }
            .filterValues { now() - it.at in 0..CrashLog.KEPT_MILLIS }
            .toMutableMap()

    private fun write() {
        val content = buildJsonObject {
            put("device", device)
            putJsonObject("passes") { for ((key, pass) in passes) put(key, pass.toJson()) }
        }
        try {
            file.replaceText(content.toString())
        } catch (_: IOException) {
            // What is on disk may trust a driver that is not to be trusted any longer.
            file.delete()
        }
    }

    /**
     * @property reference checksum of the file that the CPU ran
     * @property at time of the check
     * @property user ID of the process that uses the accelerator
     */
    private data class Pass(
        val check: PassedCheck,
        val reference: String,
        val driver: String,
        val at: Long,
        val user: Int,
    ) {
        fun toJson(): JsonObject = buildJsonObject {
            put("agreement", check.agreement)
            put("nanos", check.nanos)
            put("reference", reference)
            put("driver", driver)
            put("at", at)
            put("user", user)
        }

        companion object {
            fun of(content: JsonFields): Pass = Pass(
                PassedCheck(content.number("agreement", 0.0..1.0), content.integer("nanos", 1..Long.MAX_VALUE)),
                content.text("reference"),
                content.text("driver"),
                content.integer("at", Long.MIN_VALUE..Long.MAX_VALUE),
                content.integer("user", 0..Int.MAX_VALUE.toLong()).toInt(),
            )
        }
    }

    private companion object {
        const val NOBODY = 0
    }
}
