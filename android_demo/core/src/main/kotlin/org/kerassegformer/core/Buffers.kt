package org.kerassegformer.core

import java.nio.Buffer

// ByteBuffer's own overrides of these methods exist only since API 28: call those of Buffer.

internal fun Buffer.moveTo(position: Int) {
    position(position)
}

internal fun Buffer.toStart() {
    clear()
}
