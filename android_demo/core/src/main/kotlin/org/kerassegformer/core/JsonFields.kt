package org.kerassegformer.core

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/**
 * Typed and range-checked access to the fields of a JSON object.
 *
 * All methods throw a [ModelException] with [ModelFault.MISSING_FIELD] or [ModelFault.BAD_FIELD], which names the path
 * of the field and the [remedy]. `null` counts as missing.
 */
internal class JsonFields private constructor(
    private val content: JsonObject,
    private val path: String,
    private val remedy: String,
) {
    fun has(name: String): Boolean = content[name].let { it != null && it !is JsonNull }

    fun fields(name: String): JsonFields = JsonFields(
        element(name) as? JsonObject ?: bad(name, "an object"),
        "$path$name.",
        remedy,
    )

    fun optionalFields(name: String): JsonFields? = if (has(name)) fields(name) else null

    fun text(name: String): String = textOf(element(name)) ?: bad(name, "a string")

    fun optionalText(name: String): String? = if (has(name)) text(name) else null

    fun flag(name: String): Boolean = when (literalOf(element(name))) {
        "true" -> true
        "false" -> false
        else -> bad(name, "true or false")
    }

    fun integer(name: String, range: LongRange): Long =
        integerOf(element(name), range) ?: bad(name, "a whole number from ${range.first} to ${range.last}")

    fun number(name: String, range: ClosedFloatingPointRange<Double>): Double =
        literalOf(element(name))?.toDoubleOrNull()?.takeIf { it in range }
            ?: bad(name, "a number from ${range.start} to ${range.endInclusive}")

    fun texts(name: String): List<String> = list(name) { textOf(it) ?: bad(name, "a list of strings") }

    fun integers(name: String, range: IntRange): List<Int> =
        list(name) { smallInteger(it, range) ?: bad(name, "a list of whole numbers in $range") }

    fun integerLists(name: String, range: IntRange): List<List<Int>> = list(name) { row ->
        (row as? JsonArray)?.map { smallInteger(it, range) ?: bad(name, "lists of numbers in $range") }
            ?: bad(name, "a list of lists")
    }

    fun list(name: String): List<JsonFields> = list(name) {
        JsonFields(it as? JsonObject ?: bad(name, "a list of objects"), "$path$name.", remedy)
    }

    fun names(): Set<String> = content.keys

    /** Returns the constant with the given name. */
    fun <T> choice(name: String, choices: Iterable<T>, nameOf: (T) -> String): T {
        val found = text(name)
        return choices.firstOrNull { nameOf(it) == found }
            ?: bad(name, "one of ${choices.joinToString { nameOf(it) }}")
    }

    fun bad(name: String, expected: String): Nothing = throw ModelException(
        ModelFault.BAD_FIELD,
        "'$path$name' must be $expected, not ${shortened(content[name])}; $remedy",
    )

    private fun element(name: String): JsonElement = content[name]?.takeIf { it !is JsonNull }
        ?: throw ModelException(ModelFault.MISSING_FIELD, "'$path$name' is missing; $remedy")

    private fun <T> list(name: String, convert: (JsonElement) -> T): List<T> =
        (element(name) as? JsonArray ?: bad(name, "a list")).map(convert)

    companion object {
        private const val MOST_CHARACTERS = 8 shl 20
        private const val DEEPEST = 64

        /** @throws ModelException [ModelFault.NOT_JSON] */
        fun parse(text: String, remedy: String): JsonFields {
            if (text.length > MOST_CHARACTERS || depth(text) > DEEPEST) {
                throw ModelException(ModelFault.NOT_JSON, "The JSON is too long or nested too deeply; $remedy")
            }
            val element = try {
                Json.parseToJsonElement(text)
            } catch (error: SerializationException) {
                throw ModelException(ModelFault.NOT_JSON, "This is not JSON (${firstLine(error)}); $remedy", error)
            }
            val content = element as? JsonObject
                ?: throw ModelException(ModelFault.NOT_JSON, "The JSON is not an object; $remedy")
            return JsonFields(content, "", remedy)
        }

        /** Also counts brackets in strings, which is good enough for a limit. */
        private fun depth(text: String): Int {
            var depth = 0
            var deepest = 0
            for (character in text) {
                if (character == '[' || character == '{') deepest = maxOf(deepest, ++depth)
                if (character == ']' || character == '}') depth--
            }
            return deepest
        }

        private fun firstLine(error: Exception): String = error.message.orEmpty().lineSequence().first().take(120)

        private fun shortened(element: JsonElement?): String = element.toString().let {
            if (it.length <= 60) it else it.take(57) + "..."
        }

        private fun textOf(element: JsonElement): String? = (element as? JsonPrimitive)?.takeIf { it.isString }?.content

        private fun literalOf(element: JsonElement): String? =
            (element as? JsonPrimitive)?.takeIf { !it.isString }?.content

        private fun integerOf(element: JsonElement, range: LongRange): Long? =
            literalOf(element)?.toLongOrNull()?.takeIf { it in range }

        private fun smallInteger(element: JsonElement, range: IntRange): Int? =
            integerOf(element, range.first.toLong()..range.last.toLong())?.toInt()
    }
}
