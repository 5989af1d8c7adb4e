package org.kerassegformer.demo.ui

import android.content.SharedPreferences
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.engine.EngineSettings

/**
 * What the user has set, kept from start to start.
 *
 * @property opacity of the colours, in percent
 * @property names whether large areas carry the name of their class
 * @property steady whether flicker is smoothed away, at the price of a delay
 * @property model name of the model, or null for the first
 * @property modelImported whether that is one that the user brought
 */
internal data class Settings(
    val opacity: Int = 55,
    val names: Boolean = true,
    val steady: Boolean = false,
    val model: String? = null,
    val modelImported: Boolean = false,
    val engine: EngineSettings = EngineSettings(),
)

/** Keeps [Settings]. Values that are not valid, as after a change of versions, count as not set. */
internal class SettingsStore(private val preferences: SharedPreferences) {
    fun read(): Settings {
        val unset = Settings()
        return Settings(
            opacity = value(OPACITY, unset.opacity, preferences::getInt).coerceIn(0, FULL_OPACITY),
            names = value(NAMES, unset.names, preferences::getBoolean),
            steady = value(STEADY, unset.steady, preferences::getBoolean),
            model = value<String?>(MODEL, null, preferences::getString),
            modelImported = value(MODEL_IMPORTED, false, preferences::getBoolean),
            engine = EngineSettings(
                choice = choiceOf(value<String?>(CHOICE, null, preferences::getString)) ?: unset.engine.choice,
                threads = value(THREADS, unset.engine.threads, preferences::getInt).coerceIn(1, MOST_THREADS),
            ),
        )
    }

    fun write(settings: Settings) {
        preferences.edit()
            .putInt(OPACITY, settings.opacity)
            .putBoolean(NAMES, settings.names)
            .putBoolean(STEADY, settings.steady)
            .putString(MODEL, settings.model)
            .putBoolean(MODEL_IMPORTED, settings.modelImported)
            .putString(CHOICE, settings.engine.choice.name)
            .putInt(THREADS, settings.engine.threads)
            .apply()
    }

    private fun <T> value(key: String, unset: T, get: (String, T) -> T): T = try {
        get(key, unset)
    } catch (_: ClassCastException) {
        unset
    }

    private fun choiceOf(name: String?): ProcessorChoice? = ProcessorChoice.entries.find { it.name == name }

    internal companion object {
        const val FULL_OPACITY = 100

        /** More threads than a phone has big cores only heat it. */
        const val MOST_THREADS = 8
        private const val OPACITY = "opacity"
        private const val NAMES = "names"
        private const val STEADY = "steady"
        private const val MODEL = "model"
        private const val MODEL_IMPORTED = "model_imported"
        private const val CHOICE = "processor"
        private const val THREADS = "threads"
    }
}
