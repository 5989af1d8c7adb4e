package org.kerassegformer.demo.ui

import android.app.AlertDialog
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.RadioButton
import android.widget.RadioGroup
import android.widget.Switch
import android.widget.TextView
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.R
import org.kerassegformer.demo.models.ModelListing
import org.kerassegformer.demo.models.StoredModel

/** Actions of the settings page. */
internal interface SettingsActions {
    fun change(settings: Settings)

    fun importModel()

    fun delete(model: StoredModel)

    fun forgetFailures()

    fun openBenchmark()

    fun openLicences()

    fun close()
}

/** The settings page over the live screen. */
internal class SettingsPanel(private val page: View, private val actions: SettingsActions) {
    private val context = page.context
    private val resources = page.resources
    private val texts = EngineTexts(resources)
    private val models: ViewGroup = page.requireView(R.id.model_choices)
    private val problems: TextView = page.requireView(R.id.model_problems)
    private val processors: RadioGroup = page.requireView(R.id.processor_choices)
    private val threads: TextView = page.requireView(R.id.threads)
    private val names: Switch = page.requireView(R.id.names)
    private val smoothing: Switch = page.requireView(R.id.smoothing)
    private val unsure: Switch = page.requireView(R.id.hide_unsure)
    private var shown = Settings()
    private var listing: ModelListing? = null

    init {
        page.setOnClickListener { actions.close() }
        page.requireView<View>(R.id.settings_close).setOnClickListener { actions.close() }
        page.requireView<View>(R.id.import_model).setOnClickListener { actions.importModel() }
        page.requireView<View>(R.id.forget_failures).setOnClickListener { actions.forgetFailures() }
        page.requireView<View>(R.id.open_benchmark).setOnClickListener { actions.openBenchmark() }
        page.requireView<View>(R.id.open_licences).setOnClickListener { actions.openLicences() }
        page.requireView<View>(R.id.threads_fewer).setOnClickListener { changeThreads(-1) }
        page.requireView<View>(R.id.threads_more).setOnClickListener { changeThreads(1) }
        names.text = titled(R.string.settings_names, resources.getString(R.string.settings_names_note))
        smoothing.text = titled(R.string.settings_smoothing, resources.getString(R.string.settings_smoothing_note))
        unsure.text = titled(R.string.settings_unsure, resources.getString(R.string.settings_unsure_note))
        unsure.setOnClickListener {
            actions.change(shown.copy(engine = shown.engine.copy(hidesUnsure = unsure.isChecked)))
        }
        names.setOnClickListener { actions.change(shown.copy(names = names.isChecked)) }
        smoothing.setOnClickListener { actions.change(shown.copy(smoothing = smoothing.isChecked)) }
        ProcessorChoice.entries.forEach(::addProcessor)
    }

    /** Shows the settings and the models of [ui]. */
    fun show(ui: UiState) {
        val settings = ui.settings
        val model = ui.model
        shown = settings
        names.isChecked = settings.names
        smoothing.isChecked = settings.smoothing
        unsure.isChecked = settings.engine.hidesUnsure
        unsure.visibility = visibleIf(model?.set?.files.orEmpty().any { it.spec.output.kind == OutputKind.LOGITS })
        threads.text = settings.engine.threads.toString()
        showProcessors(settings.engine.choice, ui.unsupported)
        if (ui.listing !== listing || models.childCount == 0) showModels(ui.listing)
        checkModel(model)
    }

    /** Hides processors that can never be used. Where the CPU is alone, it is the choice of Auto, and shown in place of it. */
    private fun showProcessors(selected: ProcessorChoice, unsupported: Set<Processor>) {
        val hidden = ProcessorChoice.entries.filterTo(HashSet()) { choice ->
            val used = choice.processor?.let(::setOf) ?: (Processor.entries - Processor.CPU)
            unsupported.containsAll(used)
        }
        for (choice in ProcessorChoice.entries) {
            processors.requireView<View>(idOf(choice)).visibility = visibleIf(choice !in hidden)
        }
        processors.check(idOf(if (selected in hidden) ProcessorChoice.CPU else selected))
    }

    private fun showModels(listing: ModelListing?) {
        this.listing = listing
        models.removeAllViews()
        listing?.models.orEmpty().forEach(::addModel)
        val broken = listing?.broken.orEmpty().values
        problems.visibility = visibleIf(broken.isNotEmpty())
        problems.text = broken.joinToString("\n") { resources.getString(R.string.model_broken, texts.problem(it)) }
    }

    private fun addModel(model: StoredModel) {
        val row = LayoutInflater.from(context).inflate(R.layout.model_choice, models, false)
        row.tag = model
        val choice = row.requireView<RadioButton>(R.id.choice)
        choice.text = titled(model.name, describe(model))
        choice.setOnClickListener { actions.change(shown.copy(model = model.name, modelImported = model.imported)) }
        val delete = row.requireView<View>(R.id.delete)
        delete.visibility = visibleIf(model.imported)
        delete.contentDescription = resources.getString(R.string.settings_delete, model.name)
        delete.setOnClickListener { askToDelete(model) }
        models.addView(row)
    }

    private fun describe(model: StoredModel): String {
        val spec = model.set.files.first().spec
        val precisions = model.set.files.joinToString { it.spec.precision.json }
        val facts = resources.getString(R.string.model_details, spec.labelSet.size, precisions)
        return listOfNotNull(
            facts,
            resources.getString(R.string.model_imported).takeIf { model.imported },
            resources.getString(R.string.model_non_commercial).takeIf { spec.license?.nonCommercial == true },
        ).joinToString(" · ")
    }

    private fun checkModel(model: StoredModel?) {
        for (i in 0 until models.childCount) {
            val row = models.getChildAt(i)
            row.requireView<RadioButton>(R.id.choice).isChecked = row.tag === model
        }
    }

    private fun askToDelete(model: StoredModel) {
        AlertDialog.Builder(context)
            .setMessage(resources.getString(R.string.settings_delete_question, model.name))
            .setPositiveButton(R.string.settings_delete_yes) { _, _ -> actions.delete(model) }
            .setNegativeButton(R.string.settings_cancel, null)
            .show()
    }

    private fun addProcessor(choice: ProcessorChoice) {
        val button = LayoutInflater.from(context).inflate(R.layout.processor_choice, processors, false) as RadioButton
        button.id = idOf(choice)
        button.text = titled(titleOf(choice), resources.getString(noteOf(choice)))
        button.setOnClickListener { actions.change(shown.copy(engine = shown.engine.copy(choice = choice))) }
        processors.addView(button)
    }

    private fun changeThreads(step: Int) {
        val threads = (shown.engine.threads + step).coerceIn(1, SettingsStore.MOST_THREADS)
        actions.change(shown.copy(engine = shown.engine.copy(threads = threads)))
    }

    private fun titled(title: Int, note: String): CharSequence = titled(resources.getString(title), note)

    /** Formats a title with a smaller note below. */
    private fun titled(title: String, note: String): CharSequence = SpannableStringBuilder("$title\n$note").apply {
        setSpan(RelativeSizeSpan(NOTE_SIZE), title.length, length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        val muted = ForegroundColorSpan(context.getColor(R.color.on_panel_muted))
        setSpan(muted, title.length, length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
    }

    private fun idOf(choice: ProcessorChoice): Int = when (choice) {
        ProcessorChoice.AUTO -> R.id.processor_auto
        ProcessorChoice.GPU -> R.id.processor_gpu
        ProcessorChoice.NNAPI -> R.id.processor_nnapi
        ProcessorChoice.CPU -> R.id.processor_cpu
    }

    private fun titleOf(choice: ProcessorChoice): Int = when (choice) {
        ProcessorChoice.AUTO -> R.string.processor_auto
        ProcessorChoice.GPU -> R.string.processor_gpu
        ProcessorChoice.NNAPI -> R.string.processor_nnapi
        ProcessorChoice.CPU -> R.string.processor_cpu
    }

    private fun noteOf(choice: ProcessorChoice): Int = when (choice) {
        ProcessorChoice.AUTO -> R.string.processor_auto_note
        ProcessorChoice.GPU -> R.string.processor_gpu_note
        ProcessorChoice.NNAPI -> R.string.processor_nnapi_note
        ProcessorChoice.CPU -> R.string.processor_cpu_note
    }

    private companion object {
        const val NOTE_SIZE = 0.86f
    }
}
