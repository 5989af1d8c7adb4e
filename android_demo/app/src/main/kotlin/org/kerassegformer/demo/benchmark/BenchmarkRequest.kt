package org.kerassegformer.demo.benchmark

import android.content.Intent
import android.os.Bundle
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.models.StoredModel

/**
 * A benchmark request from an intent, such as
 * `adb shell am start -n org.kerassegformer.demo/.ui.BenchmarkActivity --es models b0_camvid --ei runs 50`.
 *
 * @property models names of models; empty for all
 * @property processors empty for all
 * @property output file name of the report; null for a name from the current time
 */
internal data class BenchmarkRequest(
    val models: List<String> = emptyList(),
    val processors: List<Processor> = emptyList(),
    val threads: Int = EngineSettings.defaultThreads(),
    val warmUp: Int = WARM_UP,
    val runs: Int = RUNS,
    val output: String? = null,
) {
    /**
     * Creates the plan for the available models.
     *
     * @throws BenchmarkRequestException a model does not exist
     */
    fun planFor(available: List<StoredModel>): BenchmarkPlan {
        val chosen = if (models.isEmpty()) available else models.map { name -> available.named(name) }
        return BenchmarkPlan(chosen, processors.ifEmpty { Processor.entries }, threads, warmUp, runs)
    }

    private fun List<StoredModel>.named(name: String): StoredModel =
        firstOrNull { it.name == name } ?: throw BenchmarkRequestException(
            "There is no model $name. Available: ${joinToString { it.name }.ifEmpty { "none" }}.",
        )

    internal companion object {
        const val WARM_UP: Int = 10
        const val RUNS: Int = 50
        private const val MOST_RUNS = 10_000
        private const val MOST_THREADS = 64
        private const val LONGEST_LIST = 2_000

        /**
         * Parses the extras of an intent, all optional: the strings `models` and `processors` (comma-separated names)
         * and `output`, and the integers `threads`, `warm_up` and `runs`.
         *
         * @throws BenchmarkRequestException an extra has an invalid value
         */
        fun of(extras: Bundle?): BenchmarkRequest = try {
            if (extras == null) BenchmarkRequest() else read(extras)
        } catch (failure: RuntimeException) {
            // Extras of other apps may contain anything.
            throw BenchmarkRequestException("The extras cannot be read: use strings and integers only.", failure)
        }

        /** Returns true if an intent asks for a benchmark, also for an invalid one. */
        fun isIn(intent: Intent): Boolean = try {
            intent.extras?.keySet().orEmpty().isNotEmpty()
        } catch (_: RuntimeException) {
            true
        }

        private fun read(extras: Bundle) = BenchmarkRequest(
            models = extras.names("models"),
            processors = extras.names("processors").map(::processor),
            threads = extras.number("threads", EngineSettings.defaultThreads(), 1..MOST_THREADS),
            warmUp = extras.number("warm_up", WARM_UP, 0..MOST_RUNS),
            runs = extras.number("runs", RUNS, 1..MOST_RUNS),
            output = extras.getString("output")?.also(::checkOutput),
        )

        private fun Bundle.names(key: String): List<String> {
            if (!containsKey(key)) return emptyList()
            val text = getString(key)?.takeIf { it.length <= LONGEST_LIST }
                ?: throw BenchmarkRequestException("$key must be a string of at most $LONGEST_LIST characters.")
            return text.split(',').map(String::trim).filter(String::isNotEmpty).distinct()
        }

        /** Accepts an integer (`--ei`) or a string (`--es`). */
        private fun Bundle.number(key: String, default: Int, range: IntRange): Int {
            if (!containsKey(key)) return default
            val text = getString(key) ?: getInt(key, range.first - 1).toString()
            return text.toIntOrNull()?.takeIf { it in range } ?: throw BenchmarkRequestException(
                "$key must be an integer from ${range.first} to ${range.last}, but is $text.",
            )
        }

        private fun processor(name: String): Processor =
            Processor.entries.firstOrNull { it.name.equals(name, ignoreCase = true) }
                ?: throw BenchmarkRequestException("There is no processor $name: use gpu, nnapi or cpu.")

        private fun checkOutput(name: String) {
            if (!name.matches(FILE_NAME)) {
                throw BenchmarkRequestException(
                    "output must be a file name of letters, digits, '.', '_' and '-', but is $name.",
                )
            }
        }

        private val FILE_NAME = Regex("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
    }
}

/** Thrown for invalid extras of an intent; the message lists the valid values. */
internal class BenchmarkRequestException(message: String, cause: Throwable? = null) : Exception(message, cause)
