package org.kerassegformer.core

import java.io.File
import java.io.FileOutputStream
import java.nio.file.Files
import java.nio.file.StandardCopyOption

/** Replaces a file atomically and durably, even if the process is killed meanwhile or right after. */
internal fun File.replaceText(text: String) {
    val target = absoluteFile
    Files.createDirectories(target.parentFile.toPath())
    val draft = File(target.path + ".new")
    FileOutputStream(draft).use {
        it.write(text.toByteArray())
        it.fd.sync()
    }
    Files.move(draft.toPath(), target.toPath(), StandardCopyOption.ATOMIC_MOVE)
}
