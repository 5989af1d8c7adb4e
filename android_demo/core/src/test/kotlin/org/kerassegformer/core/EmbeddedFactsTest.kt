package org.kerassegformer.core

import java.io.File
import kotlin.random.Random
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class EmbeddedFactsTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val models = File("../app/src/main/assets/models")
    private val bundled = models.resolve("b0_camvid_int8.tflite")

    private fun describe(bytes: ByteArray): String? =
        EmbeddedFacts.describe(folder.newFile().also { it.writeBytes(bytes) })

    @Test
    fun aFileOfOursDescribesItself() {
        val runtime = RuntimeVersion(2, 21)
        val embedded = ModelSpec.parse(checkNotNull(EmbeddedFacts.describe(bundled)), runtime)
        val beside = ModelSpec.parse(models.resolve("b0_camvid_int8.json").readText(), runtime)
        assertEquals(beside, embedded)
        bundled.inputStream().use(embedded::verify)
    }

    @Test
    fun otherFilesHaveNoDescription() {
        val bytes = bundled.readBytes()
        assertNull("without the archive", describe(bytes.copyOf(bytes.size - 12_000)))
        assertNull("empty", describe(ByteArray(0)))
        assertNull("short", describe(ByteArray(40)))
        assertNull("an end without a directory", describe(byteArrayOf(0x50, 0x4b, 5, 6) + ByteArray(18)))
    }

    @Test
    fun damagedArchivesAreNoError() {
        val bytes = bundled.readBytes().let { it.copyOfRange(it.size - 12_000, it.size) }
        val random = Random(1)
        repeat(300) {
            val damaged = bytes.copyOf()
            repeat(3) { damaged[damaged.size - 1 - random.nextInt(200)] = random.nextInt().toByte() }
            describe(damaged)
        }
    }
}
