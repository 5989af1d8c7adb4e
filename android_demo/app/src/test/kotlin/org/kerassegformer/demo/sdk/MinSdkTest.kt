package org.kerassegformer.demo.sdk

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Test
import org.kerassegformer.core.LabelMap
import org.kerassegformer.demo.RequiresSdk
import java.io.File
import java.util.jar.JarFile

/** Newer APIs are only used behind a check of the Android version. Gradle's build uses lint for that. */
internal class MinSdkTest {
    private val signatures = System.getProperty("android.api.signatures")
    private val list = checkNotNull(javaClass.getResource("/newer_api.txt")).readText()

    @Before
    fun requireTheSignatures() = assumeTrue("android.api.signatures names no file", signatures != null)

    @Test
    fun newerApisAreGuarded() {
        val classes = classesOf(RequiresSdk::class.java) + classesOf(LabelMap::class.java)
        assertTrue("only ${classes.size} classes", classes.size > 50)
        val newer = NewerApi(ApiUses(classes), api(), NewerApi.readList(list))
        assertEquals("", newer.faults().joinToString("\n"))
        assertEquals("listed, but not used", emptySet<String>(), newer.leftOver())
    }

    @Test
    fun unguardedUsesAreFound() {
        val sample = GuardSample::class.java
        val folder = File(sample.protectionDomain.codeSource.location.toURI())
        val name = sample.name.replace('.', '/')
        val classes = folder.resolve("$name.class").parentFile.listFiles { file -> file.name.startsWith("GuardSample") }
        val list = mapOf(STATUS to 29, HEADROOM to 30, "android/os/PowerManager.gone()V" to 31)
        val newer = NewerApi(ApiUses(checkNotNull(classes).map { it.readBytes() }), api(), list)
        val place = "$name.marked()I"
        assertEquals(
            listOf(
                "GuardSample.guardedOnOnePath: $STATUS (29) is used where only 26 is guaranteed",
                "GuardSample.guardedTheWrongWay: $STATUS (29) is used where only 26 is guaranteed",
                "GuardSample.guardedTooLow: $HEADROOM (30) is used where only 29 is guaranteed",
                "GuardSample.headroom: $HEADROOM (30) is used where only 26 is guaranteed",
                "GuardSample.unguarded: $STATUS (29) is used where only 26 is guaranteed",
                "GuardSample.unguardedAfterAFailure: $STATUS (29) is used where only 26 is guaranteed",
                "GuardSample.unguardedLambda\$lambda\$0: $STATUS (29) is used where only 26 is guaranteed",
                "GuardSample.unguardedMark: $place (29) is used where only 26 is guaranteed",
                "GuardSample.unlisted: android/os/PowerManager.isDeviceLightIdleMode()Z " +
                    "is not part of Android 26 and not listed",
            ),
            newer.faults(),
        )
        assertEquals(setOf("android/os/PowerManager.gone()V"), newer.leftOver())
    }

    private fun api() = AndroidApi(File(signatures).inputStream())

    /** The classes from the same folder or JAR. */
    private fun classesOf(type: Class<*>): List<ByteArray> {
        val place = File(type.protectionDomain.codeSource.location.toURI())
        if (place.isDirectory) return place.walk().filter { it.extension == "class" }.map { it.readBytes() }.toList()
        return JarFile(place).use { jar ->
            jar.entries().asSequence()
                .filter { it.name.endsWith(".class") }
                .map { entry -> jar.getInputStream(entry).use { it.readBytes() } }
                .toList()
        }
    }

    private companion object {
        const val STATUS = "android/os/PowerManager.getCurrentThermalStatus()I"
        const val HEADROOM = "android/os/PowerManager.getThermalHeadroom(I)F"
    }
}
