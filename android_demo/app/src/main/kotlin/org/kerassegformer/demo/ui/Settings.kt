package org.kerassegformer.demo.ui

import android.content.SharedPreferences
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.engine.EngineSettings

/**
 * Persistent user settings.
 *
 * @property opacity opacity of the overlay, in percent
 * @property names true to label large segments with their class
 * @property smoothing true for temporal smoothing
 * @property model name of the model, or null for the first one
 * @property modelImported true if that model is an imported one
 */
internal data class Settings(
    val opacity: Int = 55,
    val names: Boolean = true,
    val smoothing: Boolean = false,
    val model: String? = null,
    val modelImported: Boolean = false,
    val engine: EngineSettings = EngineSettings(),
)

/** Stores [Settings]. Invalid values, for example of another version, count as not set. */
internal class SettingsStore(private val preferences: SharedPreferences) {
    /** True if the user has refused the camera permission. */
    var cameraRefused: Boolean
        get() = value(CAMERA_REFUSED, false, preferences::getBoolean)
        set(refused) = preferences.edit().putBoolean(CAMERA_REFUSED, refused).apply()

    fun read(): Settings {
        val unset = Settings()
        return Settings(
            opacity = value(OPACITY, unset.opacity, preferences::getInt).coerceIn(0, FULL_OPACITY),
            names = value(NAMES, unset.names, preferences::getBoolean),
            smoothing = value(SMOOTHING, unset.smoothing, preferences::getBoolean),
            model = value<String?>(MODEL, null, preferences::getString),
            modelImported = value(MODEL_IMPORTED, false, preferences::getBoolean),
            engine = EngineSettings(
                choice = choiceOf(value<String?>(CHOICE, null, preferences::getString)) ?: unset.engine.choice,
                threads = value(THREADS, unset.engine.threads, preferences::getInt).coerceIn(1, MOST_THREADS),
                hidesUnsure = value(HIDES_UNSURE, unset.engine.hidesUnsure, preferences::getBoolean),
            ),
        )
    }

    fun write(settings: Settings) {
        preferences.edit()
            .putInt(OPACITY, settings.opacity)
            .putBoolean(NAMES, settings.names)
            .putBoolean(SMOOTHING, settings.smoothing)
            .putString(MODEL, settings.model)
            .putBoolean(MODEL_IMPORTED, settings.modelImported)
            .putString(CHOICE, settings.engine.choice.name)
            .putInt(THREADS, settings.engine.threads)
            .putBoolean(HIDES_UNSURE, settings.engine.hidesUnsure)
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

        /** More threads than performance cores do not help. */
        const val MOST_THREADS = 8
        private const val CAMERA_REFUSED = "camera_refused"
        private const val OPACITY = "opacity"
        private const val NAMES = "names"
        private const val SMOOTHING = "smoothing"
        private const val MODEL = "model"
        private const val MODEL_IMPORTED = "model_imported"
        private const val CHOICE = "processor"
        private const val THREADS = "threads"
        private const val HIDES_UNSURE = "hides_unsure"
    }
}
