package org.kerassegformer.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Test

internal class MailboxTest {
    @Test
    fun `messages wait for the next owner and are delivered once, in order`() {
        val heard = ArrayList<String>()
        val mailbox = Mailbox<String>()
        mailbox.owner = "first"
        mailbox.post { heard += "$it: 1" }
        mailbox.owner = null
        mailbox.post { heard += "$it: 2" }
        mailbox.post { heard += "$it: 3" }
        assertEquals(listOf("first: 1"), heard)
        mailbox.owner = "second"
        mailbox.owner = "third"
        assertEquals(listOf("first: 1", "second: 2", "second: 3"), heard)
    }

    @Test
    fun `an owner that leaves while it handles a message gets no more`() {
        val heard = ArrayList<String>()
        val mailbox = Mailbox<String>()
        mailbox.post {
            heard += it
            mailbox.owner = null
        }
        mailbox.post { heard += it }
        mailbox.owner = "first"
        assertEquals(listOf("first"), heard)
    }
}
