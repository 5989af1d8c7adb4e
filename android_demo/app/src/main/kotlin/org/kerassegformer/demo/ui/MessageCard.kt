package org.kerassegformer.demo.ui

import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.TextView
import org.kerassegformer.demo.R

/** The message in the centre of the screen, with its actions. */
internal class MessageCard(private val card: View, private val dispatch: (ScreenEvent) -> Unit) {
    private val busy: View = card.requireView(R.id.message_busy)
    private val icon: ImageView = card.requireView(R.id.message_icon)
    private val title: TextView = card.requireView(R.id.message_title)
    private val text: TextView = card.requireView(R.id.message_text)
    private val buttons: List<Button> =
        listOf(card.requireView(R.id.message_first), card.requireView(R.id.message_second))
    private var last: ScreenMessage? = null

    /** Shows [message], with [detail] if it has no text of its own; null hides the card. */
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
        buttons.forEachIndexed { i, button -> fill(button, message.actions.getOrNull(i)) }
        if (changed) card.announceForAccessibility(listOf(title.text, text.text).joinToString(". "))
    }

    private fun fill(button: Button, action: MessageAction?) {
        button.visibility = visibleIf(action != null)
        if (action == null) return
        button.setText(action.label)
        button.setOnClickListener { dispatch(action.event) }
    }

    private companion object {
        const val STALL_SECONDS = StallDetector.LIMIT_MILLIS / 1_000
    }
}
