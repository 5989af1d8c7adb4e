package org.kerassegformer.core

import java.nio.Buffer

// Called on ByteBuffer itself, these would name methods that Android has only from API 28 on.

internal fun Buffer.moveTo(position: Int) {
    position(position)
}

internal fun Buffer.toStart() {
    clear()
}
