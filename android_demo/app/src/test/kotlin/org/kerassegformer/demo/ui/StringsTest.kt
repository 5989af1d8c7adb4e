package org.kerassegformer.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/** Consistency of the string resources. */
internal class StringsTest {
    private val english = read("values")
    private val korean = read("values-ko")

    private fun read(folder: String): Map<String, String> {
        val file = File("src/main/res/$folder/strings.xml")
        val document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file)
        val strings = document.getElementsByTagName("string")
        return (0 until strings.length).map { strings.item(it) as Element }
            .associate { it.getAttribute("name") to it.textContent }
    }

    private fun placeholders(text: String): List<String> =
        Regex("""%\d+\$[-#+ 0,(]*\d*(\.\d+)?[a-zA-Z]|%%""").findAll(text).map { it.value }.sorted().toList()

    @Test
    fun `both languages have the same strings`() = assertEquals(english.keys, korean.keys)

    @Test
    fun `both languages have the same placeholders`() {
        for ((name, text) in english) assertEquals(name, placeholders(text), placeholders(korean.getValue(name)))
    }

    @Test
    fun `everything but names is translated`() {
        val names = setOf("app_name", "processor_gpu", "processor_nnapi", "processor_cpu", "benchmark_unknown")
        val untranslated = english.filter { (name, text) -> text == korean[name] && text.any(Char::isLetter) }.keys
        val figures = untranslated.filter { placeholders(english.getValue(it)).isNotEmpty() }
        assertEquals(emptySet<String>(), untranslated - names - figures.toSet())
    }

    @Test
    fun `each string is used`() {
        val sources = File("src/main").walk().filter { it.extension in setOf("kt", "xml") && it.name != "strings.xml" }
        val used = Regex("""(R\.string\.|@string/)(\w+)""").findAll(sources.joinToString("\n") { it.readText() })
            .map { it.groupValues[2] }.toSet()
        val unused = (english.keys - used).toList()
        assertEquals(emptyList<String>(), unused)
    }

    @Test
    fun `every icon and layout is used`() {
        val sources = File("src/main").walk().filter { it.extension in setOf("kt", "xml") }.toList()
        val texts = sources.associateWith { it.readText() }
        for (kind in listOf("drawable", "layout")) {
            for (file in File("src/main/res/$kind").listFiles().orEmpty()) {
                val name = file.nameWithoutExtension
                val user = texts.entries.find { (source, text) ->
                    source != file && Regex("""(R\.$kind\.|@$kind/)$name\b""").containsMatchIn(text)
                }
                assertTrue("$kind/$name is not used.", user != null)
            }
        }
    }
}
