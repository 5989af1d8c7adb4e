package org.kerassegformer.demo.ui

import android.app.Activity
import android.view.View

/** Finds a view of a layout by its ID. @throws IllegalStateException there is none */
internal fun <T : View> View.requireView(id: Int): T = checkNotNull(findViewById<T>(id)) { "The view is missing." }

/** Finds a view of a screen by its ID. @throws IllegalStateException there is none */
internal fun <T : View> Activity.requireView(id: Int): T = checkNotNull(findViewById<T>(id)) { "The view is missing." }

/** [View.VISIBLE] or [View.GONE]. */
internal fun visibleIf(visible: Boolean): Int = if (visible) View.VISIBLE else View.GONE
