package org.kerassegformer.demo.models

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.ByteArrayInputStream

class DocumentPairsTest {
    private val model = "....TFL3".toByteArray()

    private fun stem(name: String): String {
        val contents = mapOf("$name.tflite" to model, "$name.json" to "{}".toByteArray())
        return pairDocuments(contents.map { (file, bytes) -> ImportDocument(file) { ByteArrayInputStream(bytes) } })
            .single().stem
    }

    @Test
    fun `names in any script stay distinct`() {
        assertEquals("도로_int8", stem("도로_int8"))
        assertEquals("정원_int8", stem("정원_int8"))
        assertEquals("забор", stem("забор"))
        assertEquals("café", stem("cafe\u0301"))
    }

    @Test
    fun `names without letters stay distinct`() {
        assertNotEquals(stem("★★"), stem("☆☆"))
        assertTrue(stem("★★").startsWith("model_"))
    }

    @Test
    fun `names cannot escape the folder`() = assertEquals("evil", stem("../../evil"))

    @Test
    fun `long names fit into a file name`() {
        val longest = stem("길".repeat(200)) + ".tflite"
        assertTrue(longest.toByteArray().size <= 255)
    }
}
