package org.kerassegformer.demo.ui

import android.graphics.Rect
import android.os.Build
import android.view.View
import android.view.Window
import android.view.WindowInsets
import org.kerassegformer.demo.RequiresSdk

/** Edge-to-edge layout: window insets of the system bars and the display cutout. */
internal object Insets {
    /** Enables edge-to-edge, which is the default since Android 15. */
    fun drawBehindBars(window: Window) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) Since30.drawBehindBars(window) else before30(window)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) Since28.useCutout(window)
    }

    /** Calls [apply] with the insets in pixels, now and whenever they change. */
    fun listen(view: View, apply: (Rect) -> Unit) {
        view.setOnApplyWindowInsetsListener { _, insets ->
            apply(margins(insets))
            insets
        }
        view.requestApplyInsets()
    }

    private fun margins(insets: WindowInsets): Rect =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) Since30.margins(insets) else marginsBefore30(insets)

    @Suppress("DEPRECATION")
    private fun before30(window: Window) {
        window.decorView.systemUiVisibility = window.decorView.systemUiVisibility or
            View.SYSTEM_UI_FLAG_LAYOUT_STABLE or View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or
            View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION
    }

    @Suppress("DEPRECATION")
    private fun marginsBefore30(insets: WindowInsets): Rect = Rect(
        insets.systemWindowInsetLeft,
        insets.systemWindowInsetTop,
        insets.systemWindowInsetRight,
        insets.systemWindowInsetBottom,
    )

    @RequiresSdk(Build.VERSION_CODES.P)
    private object Since28 {
        fun useCutout(window: Window) {
            val attributes = window.attributes
            attributes.layoutInDisplayCutoutMode =
                android.view.WindowManager.LayoutParams.LAYOUT_IN_DISPLAY_CUTOUT_MODE_SHORT_EDGES
            window.attributes = attributes
        }
    }

    @RequiresSdk(Build.VERSION_CODES.R)
    private object Since30 {
        @Suppress("DEPRECATION")
        fun drawBehindBars(window: Window) = window.setDecorFitsSystemWindows(false)

        fun margins(insets: WindowInsets): Rect {
            val covered = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
            return Rect(covered.left, covered.top, covered.right, covered.bottom)
        }
    }
}
