package org.kerassegformer.demo.ui

import android.content.Context
import org.json.JSONObject
import java.io.FileNotFoundException

/**
 * Names of classes in the language of the user, from the translations of keras-segformer's label sets. Classes without
 * a translation keep the name that the model gives them.
 */
internal class ClassNames private constructor(private val translations: Map<String, Map<String, String>>) {
    /** The label set of the displayed model; its own translations come first. */
    var labelSet: String? = null

    /** Returns the translation of a class name. */
    fun of(name: String): String =
        translations[labelSet]?.get(name) ?: translations.values.firstNotNullOfOrNull { it[name] } ?: name

    internal companion object {
        /** Reads the translations of the language of [context]. */
        fun of(context: Context): ClassNames {
            val language = context.resources.configuration.locales[0].language
            val text = try {
                context.assets.open("class_names_$language.json").use { it.readBytes().decodeToString() }
            } catch (_: FileNotFoundException) {
                return ClassNames(emptyMap())
            }
            val sets = JSONObject(text)
            return ClassNames(sets.keys().asSequence().associateWith { namesIn(sets.getJSONObject(it)) })
        }

        private fun namesIn(set: JSONObject): Map<String, String> =
            set.keys().asSequence().associateWith(set::getString)
    }
}
