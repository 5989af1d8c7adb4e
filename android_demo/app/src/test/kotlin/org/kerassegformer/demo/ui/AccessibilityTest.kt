package org.kerassegformer.demo.ui

import android.app.Activity
import android.graphics.Color
import android.view.View
import android.view.ViewGroup
import android.widget.SeekBar
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.models.ModelListing
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import kotlin.math.pow

/** Every screen can be used by finger, by ear, and with eyes that need large text or cannot tell colours apart. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class AccessibilityTest {
    @get:Rule
    val rig = ScreenRig()

    private fun draw(activity: Activity) {
        val metrics = activity.resources.displayMetrics
        ScreenRig.draw(activity, metrics.widthPixels, metrics.heightPixels)
    }

    private fun shownViews(view: View): List<View> {
        if (view.visibility != View.VISIBLE) return emptyList()
        return listOf(view) + childrenOf(view).flatMap(::shownViews)
    }

    private fun childrenOf(view: View): List<View> =
        (view as? ViewGroup)?.let { group -> (0 until group.childCount).map(group::getChildAt) }.orEmpty()

    private fun nameOf(view: View): String =
        if (view.id == View.NO_ID) view.javaClass.simpleName else view.resources.getResourceEntryName(view.id)

    private fun spoken(view: View): Boolean =
        !view.contentDescription.isNullOrEmpty() || !(view as? TextView)?.text.isNullOrEmpty() ||
            childrenOf(view).any(::spoken)

    /** All that can be tapped is named and large enough. */
    private fun check(activity: Activity) {
        draw(activity)
        val least = 48 * activity.resources.displayMetrics.density
        val targets = shownViews(activity.window.decorView).filter { it.hasOnClickListeners() || it is SeekBar }
        assertTrue(targets.isNotEmpty())
        for (view in targets) {
            // The page behind the settings is a way out beside the button that closes it.
            if (view.id != R.id.settings_page) assertTrue("${nameOf(view)} has no name.", spoken(view))
            val size = "${nameOf(view)} is ${view.width / least * 48} x ${view.height / least * 48} dp."
            assertTrue(size, view.width >= least - 1 && view.height >= least - 1)
        }
    }

    private fun film() = repeat(2) { rig.seeStreet() }

    @Test
    fun `the live screen`() {
        rig.start()
        film()
        check(rig.activity)
        rig.tap(R.id.freeze)
        rig.tap(R.id.times)
        check(rig.activity)
    }

    @Test
    fun `the settings`() {
        rig.parts.models.listing = ModelListing(listOf(modelNamed(), modelNamed("garden", imported = true)), emptyMap())
        rig.start()
        rig.tap(R.id.settings)
        check(rig.activity)
        val hidden = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
        assertEquals("What is covered is not read out.", hidden, rig.view<View>(R.id.over).importantForAccessibility)
    }

    @Test
    @Config(qualifiers = PHONE_LYING)
    fun `a phone lying on its side`() {
        rig.start()
        film()
        check(rig.activity)
    }

    @Test
    fun messages() {
        rig.parts.prepareEngine = { engine -> engine.onStart = { EngineState.Failed(it, cpuOf(it).refused) } }
        rig.start()
        check(rig.activity)
    }

    @Test
    fun `the benchmark`() = check(rig.startBenchmark())

    @Test
    fun `the largest text hides nothing`() {
        RuntimeEnvironment.setFontScale(2f)
        rig.start()
        film()
        check(rig.activity)
        val metrics = rig.activity.resources.displayMetrics
        for (id in listOf(R.id.freeze, R.id.settings, R.id.open_picture, R.id.opacity, R.id.legend)) {
            val place = IntArray(2).also(rig.view<View>(id)::getLocationInWindow)
            val bottom = place[1] + minOf(rig.view<View>(id).height, (48 * metrics.density).toInt())
            assertTrue("${nameOf(rig.view(id))} ends at $bottom.", place[1] >= 0 && bottom <= metrics.heightPixels)
        }
        val box = checkNotNull(rig.view<StageView>(R.id.stage).pictureBox)
        assertTrue("The picture is ${box.height()} high.", box.height() > metrics.heightPixels / 4)
    }

    @Test
    fun `the largest text leaves the way out of a message`() {
        RuntimeEnvironment.setFontScale(2f)
        rig.start(allowed = false)
        check(rig.activity)
    }

    @Test
    fun `the legend is not by colour alone`() {
        rig.start()
        film()
        val legend = rig.view<LegendView>(R.id.legend)
        for (i in 0 until legend.childCount) {
            val row = legend.getChildAt(i)
            val name = row.part<TextView>(R.id.name).text
            val share = row.part<TextView>(R.id.share).text
            assertTrue(name in CAMVID.names)
            assertEquals(rig.string(R.string.legend_row, name, share), row.contentDescription)
        }
    }

    @Test
    fun `text stands out from its ground, by day`() = checkContrast()

    @Test
    @Config(qualifiers = "+night")
    fun `text stands out from its ground, by night`() = checkContrast()

    /** WCAG 2.1: 4.5 to 1 for text. */
    private fun checkContrast() {
        val context = rig.context
        val pairs = listOf(
            R.color.on_panel to R.color.panel,
            R.color.on_panel_muted to R.color.panel,
            R.color.on_panel to R.color.window,
            R.color.on_panel_muted to R.color.window,
            R.color.on_panel to R.color.sheet,
            R.color.on_panel_muted to R.color.sheet,
            R.color.accent to R.color.sheet,
            R.color.warning to R.color.sheet,
            R.color.on_accent to R.color.accent,
            R.color.on_glass to R.color.glass,
            R.color.on_glass_muted to R.color.glass,
        )
        for ((text, ground) in pairs) {
            val names = listOf(text, ground).map(context.resources::getResourceEntryName)
            // A translucent ground lies over any picture: black and white are the worst of them.
            val grounds = if (ground == R.color.window || ground == R.color.sheet) listOf(Color.BLACK) else BEHIND
            for (behind in grounds) {
                val contrast = contrast(context.getColor(text), over(context.getColor(ground), behind))
                assertTrue("$names: $contrast", contrast >= if (ground == R.color.glass) 3.0 else 4.5)
            }
        }
    }

    private fun over(color: Int, behind: Int): Int {
        val alpha = Color.alpha(color) / 255.0
        fun mix(channel: (Int) -> Int) = (channel(color) * alpha + channel(behind) * (1 - alpha)).toInt()
        return Color.rgb(mix(Color::red), mix(Color::green), mix(Color::blue))
    }

    private fun contrast(a: Int, b: Int): Double {
        val (low, high) = listOf(luminance(a), luminance(b)).sorted()
        return (high + .05) / (low + .05)
    }

    private fun luminance(color: Int): Double {
        fun linear(channel: Int): Double {
            val share = channel / 255.0
            return if (share <= .03928) share / 12.92 else ((share + .055) / 1.055).pow(2.4)
        }
        return .2126 * linear(Color.red(color)) + .7152 * linear(Color.green(color)) + .0722 * linear(Color.blue(color))
    }

    private companion object {
        val BEHIND = listOf(Color.BLACK, Color.WHITE)
    }
}
