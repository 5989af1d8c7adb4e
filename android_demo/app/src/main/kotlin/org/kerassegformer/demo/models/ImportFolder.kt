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

    /** Deletes all staging folders. */
    fun discardAll() {
        root.listFiles { file -> file.name.endsWith(NEW) }.orEmpty().forEach(File::deleteRecursively)
    }

    /**
     * Publishes the folders of [begin], replacing the models of those names, if any.
     *
     * @throws IOException nothing was published
     */
    fun commit(stems: List<String>) {
        val published = ArrayList<String>()
        try {
            for (stem in stems) {
                published += stem
                publish(stem)
            }
        } catch (failure: IOException) {
            published.asReversed().forEach(::withdraw)
            throw failure
        }
        stems.forEach { File(root, it + OLD).deleteRecursively() }
    }

    private fun publish(stem: String) {
        val place = File(root, stem)
        if (place.exists()) place.moveTo(File(root, stem + OLD))
        File(root, stem + NEW).moveTo(place)
    }

    /** Undoes as much as [publish] has done. */
    private fun withdraw(stem: String) {
        val place = File(root, stem)
        val draft = File(root, stem + NEW)
        if (!draft.exists()) place.renameTo(draft)
        if (!place.exists()) File(root, stem + OLD).renameTo(place)
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
        // With a character that no stem has: a model may be called "b0.old".
        const val NEW = "~new"
        const val OLD = "~old"
    }
}
