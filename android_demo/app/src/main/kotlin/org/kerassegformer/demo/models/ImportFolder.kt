package org.kerassegformer.demo.models

import java.io.File
import java.io.IOException

/**
 * Storage of imported models: one folder per model with its two files, so that both are replaced by one rename.
 *
 * Folders with the suffix [NEW] are incomplete, those with [OLD] are being replaced. If the process dies in between,
 * the next [ImportFolder] recovers from them.
 *
 * @param usableSpace returns the free space of a folder in bytes
 */
internal class ImportFolder(private val root: File, private val usableSpace: (File) -> Long = File::getUsableSpace) {
    init {
        root.listFiles().orEmpty().forEach(::recover)
    }

    /** Free space in bytes. */
    val freeBytes: Long get() = usableSpace(root.takeIf(File::exists) ?: root.parentFile ?: root)

    /** Stems of the models, sorted. */
    fun stems(): List<String> =
        root.listFiles().orEmpty().filter { it.isDirectory && !it.isUnfinished }.map(File::getName).sorted()

    fun json(stem: String): String = File(File(root, stem), "$stem.json").readText()

    fun model(stem: String): File = File(File(root, stem), "$stem.tflite")

    /** Creates a staging folder for a model that [commit] then publishes. @throws IOException it cannot be created */
    fun begin(stem: String): File {
        val folder = File(root, stem + NEW)
        folder.deleteRecursively()
        if (!folder.mkdirs()) throw IOException("The folder ${folder.path} cannot be created.")
        return folder
    }

    /** Deletes the staging folder. */
    fun discard(stem: String) {
        File(root, stem + NEW).deleteRecursively()
    }

    /** Publishes the folder of [begin], replacing the model of that name, if any. @throws IOException */
    fun commit(stem: String) {
        val place = File(root, stem)
        val old = File(root, stem + OLD)
        if (place.exists()) place.moveTo(old)
        try {
            File(root, stem + NEW).moveTo(place)
        } catch (failure: IOException) {
            old.renameTo(place)
            throw failure
        }
        old.deleteRecursively()
    }

    /** Removes a model. @throws IOException it cannot be removed */
    fun remove(stem: String) {
        val place = File(root, stem)
        if (place.exists() && !place.deleteRecursively()) {
            throw IOException("The folder ${place.path} cannot be removed.")
        }
    }

    private fun recover(folder: File) {
        val place = File(root, folder.name.removeSuffix(OLD))
        when {
            folder.name.endsWith(NEW) -> folder.deleteRecursively()
            !folder.name.endsWith(OLD) -> return
            place.exists() -> folder.deleteRecursively()
            else -> folder.renameTo(place)
        }
    }

    private val File.isUnfinished: Boolean get() = name.endsWith(NEW) || name.endsWith(OLD)

    private fun File.moveTo(target: File) {
        if (!renameTo(target)) throw IOException("The folder $path cannot be renamed to ${target.name}.")
    }

    private companion object {
        const val NEW = ".new"
        const val OLD = ".old"
    }
}
