package org.kerassegformer.demo.models

import android.content.res.AssetManager

/** Models bundled with the app. */
internal interface BundledModels {
    /** File names without extension of the models that have both files. */
    fun stems(): List<String>

    /** Content of a model's JSON file. @throws java.io.IOException it cannot be read */
    fun json(stem: String): String

    /** Location of a model's `.tflite` file. */
    fun location(stem: String): ModelLocation
}

/** Models in the assets folder `models`. */
internal class AssetModels(private val assets: AssetManager) : BundledModels {
    override fun stems(): List<String> = stemsOfPairs(assets.list(FOLDER).orEmpty().asList())

    override fun json(stem: String): String = assets.open("$FOLDER/$stem.json").bufferedReader().use { it.readText() }

    override fun location(stem: String): ModelLocation = ModelLocation.Asset("$FOLDER/$stem.tflite")

    private companion object {
        const val FOLDER = "models"
    }
}

/** Returns the sorted stems that have both a `.tflite` and a `.json` file. */
internal fun stemsOfPairs(names: List<String>): List<String> {
    val all = names.toSet()
    val models = names.filter { it.endsWith(".tflite") }.map { it.removeSuffix(".tflite") }
    return models.filter { "$it.json" in all }.sorted()
}
