package org.kerassegformer.demo.ui

import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.TextView
import org.kerassegformer.demo.R

/** The message in the middle of the screen, with its remedies. */
internal class MessageCard(private val card: View, private val dispatch: (ScreenEvent) -> Unit) {
    private val busy: View = card.part(R.id.message_busy)
    private val icon: ImageView = card.part(R.id.message_icon)
    private val title: TextView = card.part(R.id.message_title)
    private val text: TextView = card.part(R.id.message_text)
    private val buttons: List<Button> =
        listOf(card.part(R.id.message_first), card.part(R.id.message_second))
    private var last: ScreenMessage? = null

    /** Shows [message] with the words of [detail] where it has none of its own; null takes it away. */
    fun show(message: ScreenMessage?, detail: String?) {
        card.visibility = visibleIf(message != null)
        val changed = message != last
        last = message
        if (message == null) return
        title.setText(message.title)
        text.text = message.text?.let { card.resources.getString(it, STALL_SECONDS) } ?: detail
        text.visibility = visibleIf(!text.text.isNullOrEmpty())
        busy.visibility = visibleIf(message.busy)
        icon.visibility = visibleIf(!message.busy)
        icon.setImageResource(message.icon)
        buttons.forEachIndexed { i, button -> fill(button, message.remedies.getOrNull(i)) }
        if (changed) card.announceForAccessibility(listOf(title.text, text.text).joinToString(". "))
    }

    private fun fill(button: Button, remedy: Remedy?) {
        button.visibility = visibleIf(remedy != null)
        if (remedy == null) return
        button.setText(remedy.label)
        button.setOnClickListener { dispatch(remedy.event) }
    }

    private companion object {
        const val STALL_SECONDS = StallWatch.LIMIT_MILLIS / 1_000
    }
}
