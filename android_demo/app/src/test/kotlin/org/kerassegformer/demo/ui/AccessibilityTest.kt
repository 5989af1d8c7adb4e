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

/** Accessibility of every screen: touch targets, screen readers, large text, contrast and colour blindness. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class AccessibilityTest {
    @get:Rule
    val screen = ScreenRobot()

    private fun draw(activity: Activity) {
        val metrics = activity.resources.displayMetrics
        ScreenRobot.draw(activity, metrics.widthPixels, metrics.heightPixels)
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

    /** All touch targets have a label and are large enough. */
    private fun check(activity: Activity) {
        draw(activity)
        val least = 48 * activity.resources.displayMetrics.density
        val targets = shownViews(activity.window.decorView).filter { it.hasOnClickListeners() || it is SeekBar }
        assertTrue(targets.isNotEmpty())
        for (view in targets) {
            // The scrim of the settings page also closes it; the labelled Close button does the same.
            if (view.id != R.id.settings_page) assertTrue("${nameOf(view)} has no label.", spoken(view))
            val size = "${nameOf(view)} is ${view.width / least * 48} x ${view.height / least * 48} dp."
            assertTrue(size, view.width >= least - 1 && view.height >= least - 1)
        }
    }

    private fun feedFrames() = repeat(2) { screen.showStreet() }

    @Test
    fun `the live screen`() {
        screen.start()
        feedFrames()
        check(screen.activity)
        screen.tap(R.id.freeze)
        for (id in listOf(R.id.latency, R.id.legend_expand)) {
            screen.tap(id)
            check(screen.activity)
        }
    }

    @Test
    fun `the settings`() {
        val models = listOf(modelNamed(), modelNamed("garden", imported = true))
        screen.container.models.listing = ModelListing(models, emptyMap())
        screen.start()
        screen.tap(R.id.settings)
        check(screen.activity)
        val hidden = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
        val covered = screen.view<View>(R.id.over)
        assertEquals("The covered screen is not read out.", hidden, covered.importantForAccessibility)
    }

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun `landscape`() {
        screen.start()
        feedFrames()
        check(screen.activity)
    }

    @Test
    fun messages() {
        screen.container.prepareEngine = { engine -> engine.onStart = { EngineState.Failed(it, cpuOf(it).rejected) } }
        screen.start()
        check(screen.activity)
    }

    @Test
    fun `the licences`() {
        val activity = screen.startLicences()
        check(activity)
        val rows = activity.requireView<ViewGroup>(R.id.licences)
        val texts = (0 until rows.childCount).map { rows.getChildAt(it).requireView<TextView>(R.id.licence_terms).text }
        assertTrue("$texts", texts.any { "CC BY-NC 4.0" in it } && texts.any { "Apache" in it })
    }

    @Test
    fun `the benchmark`() = check(screen.startBenchmark())

    @Test
    fun `the largest text size hides nothing`() {
        RuntimeEnvironment.setFontScale(2f)
        screen.start()
        feedFrames()
        check(screen.activity)
        val metrics = screen.activity.resources.displayMetrics
        for (id in listOf(R.id.freeze, R.id.settings, R.id.open_picture, R.id.legend_line)) {
            val place = IntArray(2).also(screen.view<View>(id)::getLocationInWindow)
            val bottom = place[1] + minOf(screen.view<View>(id).height, (48 * metrics.density).toInt())
            assertTrue("${nameOf(screen.view(id))} ends at $bottom.", place[1] >= 0 && bottom <= metrics.heightPixels)
        }
        val box = checkNotNull(screen.view<SegmentationView>(R.id.segmentation).pictureBox)
        assertTrue("The picture is ${box.height()} high.", box.height() > metrics.heightPixels / 2)
    }

    @Test
    fun `messages can be dismissed with the largest text size`() {
        RuntimeEnvironment.setFontScale(2f)
        screen.start(allowed = false)
        check(screen.activity)
    }

    @Test
    fun `the legend does not rely on colour alone`() {
        screen.start()
        feedFrames()
        val legend = screen.view<LegendView>(R.id.legend)
        for (i in 0 until legend.childCount) {
            val row = legend.getChildAt(i)
            val name = row.requireView<TextView>(R.id.name).text
            val share = row.requireView<TextView>(R.id.share).text
            assertTrue(name in CAMVID.names)
            assertEquals(screen.string(R.string.legend_row, name, share), row.contentDescription)
        }
    }

    @Test
    fun `text has enough contrast in the light theme`() = checkContrast()

    @Test
    @Config(qualifiers = "+night")
    fun `text has enough contrast in the dark theme`() = checkContrast()

    /** WCAG 2.1: 4.5 to 1 for text. */
    private fun checkContrast() {
        val context = screen.context
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
            // A translucent background may lie over any image: black and white are the worst cases.
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
