package org.kerassegformer.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class ReferenceStoreTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val place get() = folder.root.resolve("references")
    private val file = TestSpecs.file(Precision.INT8)
    private val reference = StoredReference(
        LabelMap(file.spec.output.width, file.spec.output.height).also { map ->
            for (index in map.labels.indices) map.labels[index] = index % 7
        },
        nanos = 96_000_000,
    )

    private fun store(device: String = "phone/1") = ReferenceStore(place, { device })

    @Test
    fun labelsAndTheDurationAreKept() {
        store().write(file, 4, reference)
        val read = checkNotNull(store().read(file, 4))
        assertArrayEquals(reference.map.labels, read.map.labels)
        assertEquals(reference.nanos, read.nanos)
    }

    @Test
    fun anotherFileNumberOfThreadsOrSystemHasNone() {
        store().write(file, 4, reference)
        assertNull(store().read(TestSpecs.file(Precision.FLOAT16), 4))
        assertNull(store().read(file, 2))
        assertNull(store("phone/2").read(file, 4))
    }

    @Test
    fun brokenFilesCountAsMissing() {
        store().write(file, 4, reference)
        val stored = place.listFiles()!!.single()
        val good = stored.readBytes()
        for (size in listOf(0, 5, good.size / 2, good.size - 1)) {
            stored.writeBytes(good.copyOf(size))
            assertNull("$size bytes", store().read(file, 4))
        }
        for (place in listOf(20, good.size / 2, good.size - 6)) {
            stored.writeBytes(good.copyOf().also { it[place] = (it[place] + 1).toByte() })
            assertNull("byte $place", store().read(file, 4))
        }
        store().write(file, 4, reference)
        assertNotNull(store().read(file, 4))
    }

    @Test
    fun aFolderThatIsNotWritableIsNoError() {
        place.writeText("a file in place of the folder")
        store().write(file, 4, reference)
        assertNull(store().read(file, 4))
    }

    @Test
    fun fewFilesAreKept() {
        for (threads in 1..20) store().write(file, threads, reference)
        assertTrue("${place.list()!!.size}", place.list()!!.size <= 8)
        assertNotNull(store().read(file, 20))
    }
}
