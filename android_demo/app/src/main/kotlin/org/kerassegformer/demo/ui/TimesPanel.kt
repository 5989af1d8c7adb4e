package org.kerassegformer.demo.ui

import android.view.View
import android.widget.TableLayout
import android.widget.TableRow
import android.widget.TextView
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Phase
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Heat
import kotlin.math.roundToInt

/** The processor in use and why, the times of each phase, the frame rate and the heat: in a line, or in full. */
internal class TimesPanel(private val panel: View) {
    private val resources = panel.resources
    private val texts = EngineTexts(resources)
    private val compact: TextView = panel.part(R.id.times_compact)
    private val details: View = panel.part(R.id.times_details)
    private val table: TableLayout = panel.part(R.id.times_table)
    private val why: TextView = panel.part(R.id.times_why)

    /**
     * Shows how it stands.
     *
     * @param live whether frames follow one another, so that a rate means something
     */
    fun show(engine: EngineState, stats: LatencyStats, heat: Heat, open: Boolean, live: Boolean) {
        compact.text = summary(engine, stats, live)
        details.visibility = if (open) View.VISIBLE else View.GONE
        val hint = resources.getString(if (open) R.string.hud_hide else R.string.hud_show)
        panel.contentDescription = "${compact.text}. $hint"
        if (open) showDetails(engine, stats, heat, live)
    }

    private fun summary(engine: EngineState, stats: LatencyStats, live: Boolean): String = when (engine) {
        is EngineState.Starting -> resources.getString(R.string.hud_starting, texts.nameOf(engine.processor))
        is EngineState.Running -> running(texts.nameOf(engine.inUse.processor), stats, live)
        else -> resources.getString(R.string.hud_none)
    }

    private fun running(processor: String, stats: LatencyStats, live: Boolean): String {
        val inference = stats.timing(Phase.INFERENCE) ?: return processor
        val millis = inference.p50.roundToInt()
        if (!live) return resources.getString(R.string.hud_compact_still, processor, millis)
        return resources.getString(R.string.hud_compact, processor, millis, stats.fps.roundToInt())
    }

    private fun showDetails(engine: EngineState, stats: LatencyStats, heat: Heat, live: Boolean) {
        val rows = ArrayList<Pair<String, String>>()
        nameOfModel(engine)?.let { rows += resources.getString(R.string.hud_model) to it }
        for (phase in Phase.entries) {
            val timing = stats.timing(phase) ?: continue
            rows += texts.nameOf(phase) to resources.getString(R.string.hud_two_times, timing.p50, timing.p90)
        }
        if (live) {
            rows += resources.getString(R.string.hud_rate) to resources.getString(R.string.hud_rate_value, stats.fps)
        }
        rows += resources.getString(R.string.hud_heat) to heatText(heat)
        fill(rows)
        why.text = listOfNotNull(
            whyText(engine),
            resources.getString(R.string.hud_median_p90),
        ).joinToString("\n")
    }

    private fun heatText(heat: Heat): String =
        if (heat.status == ThermalStatus.NONE && !Thermals.areReported()) {
            resources.getString(R.string.heat_unknown)
        } else {
            texts.nameOf(heat.status)
        }

    private fun nameOfModel(engine: EngineState): String? = when (engine) {
        is EngineState.Starting -> engine.model.name
        is EngineState.Running -> engine.inUse.file.stem
        is EngineState.Suspended -> engine.model.name
        is EngineState.Failed -> engine.model.name
        EngineState.Idle, EngineState.Closed -> null
    }

    private fun whyText(engine: EngineState): String? = when (engine) {
        is EngineState.Running -> texts.why(engine.inUse)
        is EngineState.Failed -> texts.why(engine)
        is EngineState.Starting -> engine.refused.joinToString("\n", transform = texts::leftOut).ifEmpty { null }
        else -> null
    }

    private fun fill(rows: List<Pair<String, String>>) {
        while (table.childCount < rows.size) table.addView(newRow())
        while (table.childCount > rows.size) table.removeViewAt(table.childCount - 1)
        rows.forEachIndexed { i, (name, value) ->
            val row = table.getChildAt(i) as TableRow
            (row.getChildAt(0) as TextView).text = name
            (row.getChildAt(1) as TextView).text = value
        }
    }

    private fun newRow(): TableRow {
        val inflater = android.view.LayoutInflater.from(panel.context)
        return inflater.inflate(R.layout.times_row, table, false) as TableRow
    }
}
