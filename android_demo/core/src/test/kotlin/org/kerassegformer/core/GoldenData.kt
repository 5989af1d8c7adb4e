package org.kerassegformer.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** Test data of `android_demo/tools/golden_frames.py`: a description, and the bytes that it refers to. */
internal class GoldenData(name: String) {
    val description: JsonObject = Json.parseToJsonElement(String(resource("$name.json"))).jsonObject
    private val content = resource("$name.bin")

    fun cases(name: String): List<JsonObject> = description.getValue(name).jsonArray.map { it.jsonObject }

    fun bytes(place: JsonElement): ByteArray {
        val offset = place.jsonObject.number("offset")
        return content.copyOfRange(offset, offset + place.jsonObject.number("length"))
    }

    fun words(place: JsonElement): IntArray {
        val words = ByteBuffer.wrap(bytes(place)).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer()
        return IntArray(words.remaining()).also(words::get)
    }

    /** A plane in a direct buffer with a position other than 0. */
    fun plane(place: JsonElement): Plane {
        val bytes = bytes(place)
        val buffer = ByteBuffer.allocateDirect(bytes.size + 3)
        buffer.position(3)
        buffer.put(bytes)
        buffer.position(3)
        return Plane(buffer, place.jsonObject.number("row_stride"), place.jsonObject.number("pixel_stride"))
    }

    private fun resource(name: String): ByteArray =
        checkNotNull(javaClass.getResourceAsStream("/golden/$name")) { "no golden/$name" }.use { it.readBytes() }
}

internal fun JsonObject.number(name: String): Int = getValue(name).jsonPrimitive.int

internal fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

internal fun JsonObject.numbers(name: String): List<Int> = (getValue(name) as JsonArray).map { it.jsonPrimitive.int }

internal fun JsonObject.geometry(): FrameGeometry {
    val (width, height) = numbers("size")
    val (tensorWidth, tensorHeight) = numbers("tensor")
    return FrameGeometry(
        width, height, tensorWidth, tensorHeight,
        Rotation.of(number("rotation")), getValue("mirror").jsonPrimitive.boolean, Framing.valueOf(text("framing")),
    )
}

internal fun ByteBuffer.bytes(): ByteArray = ByteArray(remaining()).also { duplicate().get(it) }

/** Bytes 0..255 as floats in native order. */
internal fun ByteBuffer.floatsAsBytes(): ByteArray {
    val floats = asFloatBuffer()
    return ByteArray(floats.remaining()) {
        val value = floats.get(it)
        check(value == Math.rint(value.toDouble()).toFloat() && value in 0f..255f) { "no whole number 0..255: $value" }
        value.toInt().toByte()
    }
}
