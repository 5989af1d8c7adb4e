package org.kerassegformer.demo.camera

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
internal class PicturePoolTest {
    private val pictures = PicturePool()

    private fun acquire(): Pair<Long, Boolean> = pictures.newId().let { it to (pictures.acquire(it, 48, 64) != null) }

    @Test
    fun `images are recycled`() {
        val made = HashSet<Any>()
        repeat(100) {
            val id = pictures.newId()
            made += checkNotNull(pictures.acquire(id, 48, 64))
            pictures.recycle(pictures.claim(id))
        }
        assertEquals(1, made.size)
    }

    @Test
    fun `a frame is dropped if all images are in use`() {
        val taken = generateSequence(::acquire).takeWhile { it.second }.take(100).toList()
        assertEquals(5, taken.size)
        pictures.discard(taken.first().first)
        assertEquals(true, acquire().second)
    }

    @Test
    fun `labels are matched with the image of their frame`() {
        val first = pictures.newId()
        val second = pictures.newId()
        val one = pictures.acquire(first, 48, 64)
        val two = pictures.acquire(second, 48, 64)
        assertSame(one, pictures.claim(first))
        assertSame(two, pictures.claim(second))
        assertNull(pictures.claim(second))
    }

    @Test
    fun `labels of a discarded frame find no image`() {
        val id = pictures.newId()
        assertNotNull(pictures.acquire(id, 48, 64))
        pictures.discardAll()
        assertNull(pictures.claim(id))
    }

    @Test
    fun `images of another size are not recycled`() {
        val id = pictures.newId()
        pictures.acquire(id, 48, 64)
        val old = pictures.claim(id)
        assertEquals(64, pictures.acquire(pictures.newId(), 64, 48)?.picture?.width)
        pictures.recycle(old)
        repeat(4) { assertEquals(64, pictures.acquire(pictures.newId(), 64, 48)?.picture?.width) }
        assertNull(pictures.acquire(pictures.newId(), 64, 48))
    }
}
