package org.kerassegformer.demo.benchmark

import android.os.Bundle
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.models.StoredModel

/**
 * A benchmark that is asked for from outside, as by
 * `adb shell am start -n org.kerassegformer.demo/.ui.BenchmarkActivity --es models b0_camvid --ei runs 50`.
 *
 * @property models names of models; all where empty
 * @property processors all where empty
 * @property output name of the report; null for one made of the time
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
     * The plan for the models that there are.
     *
     * @throws BenchmarkRequestException a model is not there
     */
    fun planFor(available: List<StoredModel>): BenchmarkPlan {
        val chosen = if (models.isEmpty()) available else models.map { name -> available.named(name) }
        return BenchmarkPlan(chosen, processors.ifEmpty { Processor.entries }, threads, warmUp, runs)
    }

    private fun List<StoredModel>.named(name: String): StoredModel =
        firstOrNull { it.name == name } ?: throw BenchmarkRequestException(
            "There is no model $name; there are ${joinToString { it.name }.ifEmpty { "none" }}.",
        )

    internal companion object {
        const val WARM_UP: Int = 10
        const val RUNS: Int = 50
        private const val MOST_RUNS = 10_000
        private const val MOST_THREADS = 64

        /**
         * Reads the extras of an intent: strings `models` and `processors` (names between commas), `output`; whole
         * numbers `threads`, `warm_up` and `runs`. All may be missing.
         *
         * @throws BenchmarkRequestException an extra has no sensible value
         */
        fun of(extras: Bundle?): BenchmarkRequest {
            if (extras == null) return BenchmarkRequest()
            return BenchmarkRequest(
                models = extras.names("models"),
                processors = extras.names("processors").map(::processor),
                threads = extras.number("threads", EngineSettings.defaultThreads(), 1..MOST_THREADS),
                warmUp = extras.number("warm_up", WARM_UP, 0..MOST_RUNS),
                runs = extras.number("runs", RUNS, 1..MOST_RUNS),
                output = extras.getString("output")?.also(::checkOutput),
            )
        }

        private fun Bundle.names(key: String): List<String> =
            getString(key).orEmpty().split(',').map(String::trim).filter(String::isNotEmpty).distinct()

        /** Given as a number (`--ei`) or as its text (`--es`). */
        private fun Bundle.number(key: String, default: Int, range: IntRange): Int {
            if (!containsKey(key)) return default
            val text = getString(key) ?: getInt(key, range.first - 1).toString()
            return text.toIntOrNull()?.takeIf { it in range } ?: throw BenchmarkRequestException(
                "$key must be a whole number from ${range.first} to ${range.last}, but is $text.",
            )
        }

        private fun processor(name: String): Processor =
            Processor.entries.firstOrNull { it.name.equals(name, ignoreCase = true) }
                ?: throw BenchmarkRequestException("There is no processor $name: name gpu, nnapi or cpu.")

        private fun checkOutput(name: String) {
            if (!name.matches(FILE_NAME)) {
                throw BenchmarkRequestException(
                    "output must be a file name of letters, digits, '.', '_', '-', but is $name.",
                )
            }
        }

        private val FILE_NAME = Regex("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
    }
}

/** Extras of an intent that cannot be followed; the message says what to write instead. */
internal class BenchmarkRequestException(message: String) : Exception(message)
