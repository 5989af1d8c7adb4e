package org.kerassegformer.demo.camera

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
internal class CameraPicturesTest {
    private val pictures = CameraPictures()

    private fun take(): Pair<Long, Boolean> = pictures.newId().let { it to (pictures.take(it, 48, 64) != null) }

    @Test
    fun `a few pictures go round`() {
        val made = HashSet<Any>()
        repeat(100) {
            val id = pictures.newId()
            made += checkNotNull(pictures.take(id, 48, 64))
            pictures.giveBack(pictures.claim(id))
        }
        assertEquals(1, made.size)
    }

    @Test
    fun `a frame is dropped when all are in use`() {
        val taken = generateSequence(::take).takeWhile { it.second }.take(100).toList()
        assertEquals(5, taken.size)
        pictures.giveUp(taken.first().first)
        assertEquals(true, take().second)
    }

    @Test
    fun `labels find the picture of their own frame`() {
        val first = pictures.newId()
        val second = pictures.newId()
        val one = pictures.take(first, 48, 64)
        val two = pictures.take(second, 48, 64)
        assertSame(one, pictures.claim(first))
        assertSame(two, pictures.claim(second))
        assertNull(pictures.claim(second))
    }

    @Test
    fun `labels of what was given up find nothing`() {
        val id = pictures.newId()
        assertNotNull(pictures.take(id, 48, 64))
        pictures.giveUpAll()
        assertNull(pictures.claim(id))
    }

    @Test
    fun `pictures of another size do not come back`() {
        val id = pictures.newId()
        pictures.take(id, 48, 64)
        val old = pictures.claim(id)
        assertEquals(64, pictures.take(pictures.newId(), 64, 48)?.picture?.width)
        pictures.giveBack(old)
        repeat(4) { assertEquals(64, pictures.take(pictures.newId(), 64, 48)?.picture?.width) }
        assertNull(pictures.take(pictures.newId(), 64, 48))
    }
}
