package org.kerassegformer.demo.models

import android.content.res.AssetManager

/** Models that came with the app. */
internal interface BundledModels {
    /** File names without ending, of those that have both files. */
    fun stems(): List<String>

    /** Text of a model's JSON. @throws java.io.IOException it cannot be read */
    fun json(stem: String): String

    /** Where a model's `.tflite` file lies. */
    fun location(stem: String): ModelLocation
}

/** Models in the folder `models` of the app's assets. */
internal class AssetModels(private val assets: AssetManager) : BundledModels {
    override fun stems(): List<String> = stemsOfPairs(assets.list(FOLDER).orEmpty().asList())

    override fun json(stem: String): String = assets.open("$FOLDER/$stem.json").bufferedReader().use { it.readText() }

    override fun location(stem: String): ModelLocation = ModelLocation.Asset("$FOLDER/$stem.tflite")

    private companion object {
        const val FOLDER = "models"
    }
}

/** Stems of which there are both a `.tflite` and a `.json` file, sorted. */
internal fun stemsOfPairs(names: List<String>): List<String> {
    val all = names.toSet()
    val models = names.filter { it.endsWith(".tflite") }.map { it.removeSuffix(".tflite") }
    return models.filter { "$it.json" in all }.sorted()
}
