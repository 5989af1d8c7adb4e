package org.kerassegformer.demo.ui

import android.view.LayoutInflater
import android.view.View
import android.widget.TableLayout
import android.widget.TableRow
import android.widget.TextView
import org.kerassegformer.core.LatencySummary
import org.kerassegformer.core.Phase
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.SystemThermalMonitor
import org.kerassegformer.demo.engine.ThermalState
import kotlin.math.roundToInt

/** Shows the processor, why it is used, the latency of each phase, the frame rate and the thermal status. */
internal class LatencyPanel(private val button: View, details: View, classNames: ClassNames) {
    private val resources = button.resources
    private val texts = EngineTexts(resources, classNames)
    private val compact: TextView = button.requireView(R.id.latency_compact)
    private val table: TableLayout = details.requireView(R.id.latency_table)
    private val why: TextView = details.requireView(R.id.latency_why)

    /**
     * Updates the panel.
     *
     * @param live true for video, which has a frame rate
     */
    fun show(engine: EngineState, latency: LatencySummary, thermalState: ThermalState, open: Boolean, live: Boolean) {
        compact.text = summary(engine, latency, live)
        val hint = resources.getString(if (open) R.string.latency_hide else R.string.latency_show)
        button.contentDescription = "${compact.text}. $hint"
        if (open) showDetails(engine, latency, thermalState, live)
    }

    private fun summary(engine: EngineState, latency: LatencySummary, live: Boolean): String = when (engine) {
        is EngineState.Starting -> resources.getString(R.string.latency_starting, texts.nameOf(engine.processor))
        is EngineState.Running -> running(texts.nameOf(engine.inUse.processor), latency, live)
        else -> resources.getString(R.string.latency_no_model)
    }

    private fun running(processor: String, latency: LatencySummary, live: Boolean): String {
        val inference = latency.timings[Phase.INFERENCE] ?: return processor
        val millis = inference.p50.roundToInt()
        if (!live) return resources.getString(R.string.latency_summary_still, processor, millis)
        return resources.getString(R.string.latency_summary, processor, millis, latency.fps.roundToInt())
    }

    private fun showDetails(engine: EngineState, latency: LatencySummary, thermalState: ThermalState, live: Boolean) {
        val rows = ArrayList<Pair<String, String>>()
        for (phase in Phase.entries) {
            val timing = latency.timings[phase] ?: continue
            rows += texts.nameOf(phase) to resources.getString(R.string.latency_pair, timing.p50, timing.p90)
        }
        if (live) {
            val rate = resources.getString(R.string.latency_frame_rate_value, latency.fps)
            rows += resources.getString(R.string.latency_frame_rate) to rate
        }
        rows += resources.getString(R.string.latency_thermal_status) to thermalText(thermalState)
        fill(rows)
        why.text = listOfNotNull(
            nameOfModel(engine)?.let { resources.getString(R.string.latency_model, it) },
            whyText(engine),
            resources.getString(R.string.latency_median_p90),
        ).joinToString("\n")
    }

    private fun thermalText(state: ThermalState): String =
        if (state.status == ThermalStatus.NONE && !SystemThermalMonitor.isSupported()) {
            resources.getString(R.string.thermal_unknown)
        } else {
            texts.nameOf(state.status)
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
        is EngineState.Starting -> engine.rejected.joinToString("\n", transform = texts::describe).ifEmpty { null }
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

    private fun newRow(): TableRow =
        LayoutInflater.from(button.context).inflate(R.layout.latency_row, table, false) as TableRow
}
