package org.kerassegformer.demo.ui

import android.app.Activity
import android.view.View

/** The view of a layout by its number. @throws IllegalStateException the layout has none */
internal fun <T : View> View.part(id: Int): T = checkNotNull(findViewById<T>(id)) { "The layout lacks a view." }

/** The view of a screen by its number. @throws IllegalStateException the screen has none */
internal fun <T : View> Activity.part(id: Int): T = checkNotNull(findViewById<T>(id)) { "The screen lacks a view." }

/** [View.VISIBLE] or [View.GONE]. */
internal fun visibleIf(visible: Boolean): Int = if (visible) View.VISIBLE else View.GONE
