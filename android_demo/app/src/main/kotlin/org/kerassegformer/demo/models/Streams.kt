package org.kerassegformer.demo.models

import java.io.InputStream

/** Reads up to [most] bytes. (`InputStream.readNBytes` requires API 33.) */
internal fun InputStream.readAtMost(most: Int): ByteArray {
    val bytes = ByteArray(most)
    var count = 0
    while (count < most) {
        val read = read(bytes, count, most - count)
        if (read < 0) break
        count += read
    }
    return bytes.copyOf(count)
}
