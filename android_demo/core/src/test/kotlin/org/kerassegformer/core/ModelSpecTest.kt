package org.kerassegformer.core

import java.security.MessageDigest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class ModelSpecTest {
    @Test
    fun readsWhatTheConverterWrites() {
        val spec = TestSpecs.spec()
        assertEquals(listOf("sky", "road", "car"), spec.labelSet.names)
        assertEquals(0xFF804080.toInt(), spec.labelSet.colors[1])
        assertEquals(InputSpec(width = 128, height = 96, TensorType.UINT8), spec.input)
        assertEquals(128 * 96 * 3, spec.input.byteCount)
        assertEquals(OutputSpec(OutputKind.LABELS, width = 32, height = 24, channels = 1), spec.output)
        assertEquals(Precision.INT8, spec.precision)
        assertEquals(RuntimeVersion(2, 9), spec.minimumRuntime)
        assertEquals(License("CC-BY-NC-4.0", "https://example.org", nonCommercial = true), spec.license)
        assertEquals(Fidelity(6, 0.99, 0.97), spec.fidelity)
        assertEquals(12L, spec.bytes)
    }

    @Test
    fun readsOtherOutputsAndInputs() {
        val full = TestSpecs.spec("output" to """{"kind": "labels_full", "shape": [1, 96, 128], "dtype": "int32"}""")
        assertEquals(OutputSpec(OutputKind.LABELS_FULL, 128, 96, 1), full.output)
        val logits = TestSpecs.spec("output" to """{"kind": "logits", "shape": [1, 24, 32, 3], "dtype": "float32"}""")
        assertEquals(OutputSpec(OutputKind.LOGITS, 32, 24, 3), logits.output)
        assertEquals(128 * 96 * 3 * 4, TestSpecs.spec("input.dtype" to "\"float32\"").input.byteCount)
        val odd = TestSpecs.spec("input.shape" to "[1, 97, 130, 3]", "output.shape" to "[1, 25, 33]")
        assertEquals(33 to 25, odd.output.width to odd.output.height)
    }

    @Test
    fun aModelOfTwoClassesMayHaveASingleLogit() {
        val spec = TestSpecs.spec(
            "label_set.names" to """["background", "foreground"]""",
            "label_set.palette" to "[[0, 0, 0], [255, 0, 0]]",
            "output" to """{"kind": "logits", "shape": [1, 24, 32, 1], "dtype": "float32"}""",
        )
        assertEquals(1, spec.output.channels)
    }

    @Test
    fun optionalFieldsMayBeMissing() {
        val spec = TestSpecs.spec("license" to "null", "fidelity" to null, "label_set.title" to null, "tiles" to null)
        assertNull(spec.license)
        assertNull(spec.fidelity)
        assertEquals("", spec.labelSet.title)
    }

    @Test
    fun namesEveryMissingField() {
        val required = listOf(
            "label_set", "label_set.name", "label_set.names", "label_set.palette", "label_set.ignore_index", "input",
            "input.shape", "input.dtype", "input.colors", "input.range", "output", "output.kind", "output.shape",
            "output.dtype", "precision", "minimum_runtime", "license.name", "license.non_commercial",
            "fidelity.agreement", "bytes", "sha256",
        )
        for (path in required) {
            val error = assertThrows(path, ModelException::class.java) { TestSpecs.spec(path to null) }
            assertEquals(path, ModelFault.MISSING_FIELD, error.fault)
            assertTrue("${error.message}", "'$path'" in error.message.orEmpty())
            assertTrue("${error.message} names the remedy", "keras-segformer convert" in error.message.orEmpty())
        }
    }

    @Test
    fun namesEveryInvalidField() {
        val absurd = listOf(
            "label_set" to "3", "label_set.names" to "[]", "label_set.names" to "[1, 2, 3]",
            "label_set.names" to """["a", "b", "c\nd"]""", "label_set.palette" to "[[1, 2, 3]]",
            "label_set.palette" to "[[1, 2, 3], [1, 2, 3], [1, 2]]",
            "label_set.palette" to "[[1, 2, 3], [1, 2, 3], [1, 2, 256]]",
            "label_set.ignore_index" to "2", "label_set.ignore_index" to "65536", "label_set.ignore_index" to "1.5",
            "input.shape" to "[1, 96, 128]", "input.shape" to "[2, 96, 128, 3]", "input.shape" to "[1, 96, 128, 1]",
            "input.shape" to "[1, 31, 128, 3]", "input.shape" to "[1, 96, 4097, 3]",
            "input.shape" to "[1, -96, 128, 3]",
            "input.dtype" to "\"int8\"", "input.colors" to "\"BGR\"", "input.range" to "[0, 1]",
            "output.kind" to "\"boxes\"", "output.shape" to "[1, 96, 128]", "output.shape" to "[]",
            "output.dtype" to "\"int64\"", "precision" to "\"int4\"", "precision" to "8",
            "minimum_runtime" to "\"new\"", "minimum_runtime" to "\"2\"", "license" to "\"MIT\"",
            "license.non_commercial" to "\"yes\"", "fidelity.agreement" to "1.5", "fidelity.worst_agreement" to "\"x\"",
            "fidelity.images" to "0", "bytes" to "0", "bytes" to "\"12\"", "bytes" to "99999999999999999999",
            "sha256" to "\"d29d\"", "sha256" to "null",
        )
        for ((path, value) in absurd) {
            val error = assertThrows("$path = $value", ModelException::class.java) { TestSpecs.spec(path to value) }
            val expected = if (value == "null") ModelFault.MISSING_FIELD else ModelFault.BAD_FIELD
            assertEquals("$path = $value", expected, error.fault)
            assertTrue("${error.message}", "'$path'" in error.message.orEmpty())
        }
    }

    @Test
    fun invalidJsonIsAnError() {
        val deep = "[".repeat(100_000)
        for (text in listOf("", "{", "[]", "3", "null", "\u0000", "{'a': 1}", deep, "x".repeat(9 shl 20))) {
            val error = assertThrows(ModelException::class.java) { ModelSpec.parse(text, TestSpecs.RUNTIME) }
            assertEquals(text.take(20), ModelFault.NOT_JSON, error.fault)
        }
    }

    @Test
    fun rejectsModelsThatNeedANewerRuntime() {
        val json = TestSpecs.json("minimum_runtime" to "\"2.17.0\"")
        val error = assertThrows(ModelException::class.java) { ModelSpec.parse(json, TestSpecs.RUNTIME) }
        assertEquals(ModelFault.RUNTIME_TOO_OLD, error.fault)
        assertTrue("${error.message}", "--runtime tflite-2.16" in error.message.orEmpty())
        val newest = TestSpecs.json("minimum_runtime" to "\"2.30.0\"")
        val refusal = assertThrows(ModelException::class.java) { ModelSpec.parse(newest, RuntimeVersion(2, 21)) }
        assertTrue("the converter has no such runtime: ${refusal.message}", "tflite-2.21" !in refusal.message.orEmpty())
        assertEquals(RuntimeVersion(2, 17), ModelSpec.parse(json, RuntimeVersion(2, 17)).minimumRuntime)
        assertEquals(RuntimeVersion(2, 17), ModelSpec.parse(json, runtime = null).minimumRuntime)
        assertEquals(RuntimeVersion(2, 16, 1), TestSpecs.spec("minimum_runtime" to "\"2.16.1\"").minimumRuntime)
        assertThrows(ModelException::class.java) { TestSpecs.spec("minimum_runtime" to "\"2.16.2\"") }
    }

    @Test
    fun checksTheFile() {
        val file = "....TFL3....".toByteArray()
        val spec = TestSpecs.spec("sha256" to "\"${sha256(file)}\"")
        spec.verify(file.inputStream())
        fun faultOf(content: ByteArray) =
            assertThrows(ModelException::class.java) { spec.verify(content.inputStream()) }.fault
        assertEquals(ModelFault.WRONG_SIZE, faultOf(file.copyOf(11)))
        assertEquals(ModelFault.WRONG_SIZE, faultOf(file + 0))
        assertEquals(ModelFault.WRONG_CHECKSUM, faultOf(file.clone().also { it[11]++ }))
        assertEquals(ModelFault.NOT_TFLITE, faultOf("PK..........".toByteArray()))
        assertEquals(ModelFault.NOT_TFLITE, faultOf(ByteArray(0)))
    }

    @Test
    fun checksAFileReadInPieces() {
        val file = ByteArray(200_000) { it.toByte() }.also { "TFL3".toByteArray().copyInto(it, 4) }
        val spec = TestSpecs.spec("sha256" to "\"${sha256(file)}\"", "bytes" to "${file.size}")
        spec.verify(Trickle(file))
        assertThrows(ModelException::class.java) { spec.verify(Trickle(file.copyOf(199_999))) }
    }

    @Test
    fun anEndlessFileIsNotReadToItsEnd() {
        var given = 0L
        val endless = object : java.io.InputStream() {
            override fun read(): Int = 'T'.code

            override fun read(into: ByteArray, offset: Int, length: Int): Int = length.also { given += it }
        }
        assertThrows(ModelException::class.java) { TestSpecs.spec().verify(endless) }
        assertTrue("$given bytes", given < 1 shl 20)
    }

    private fun sha256(content: ByteArray): String =
        MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
}

/** Returns one to three bytes at a time. */
private class Trickle(content: ByteArray) : java.io.FilterInputStream(content.inputStream()) {
    private var turn = 0

    override fun read(into: ByteArray, offset: Int, length: Int): Int =
        super.read(into, offset, minOf(length, 1 + turn++ % 3))
}
