package org.kerassegformer.demo.ui

import android.app.Activity
import android.graphics.Rect
import android.graphics.SurfaceTexture
import android.os.SystemClock
import android.view.Gravity
import android.view.TextureView
import android.view.View
import android.view.ViewGroup
import android.widget.FrameLayout
import android.widget.ImageButton
import android.widget.SeekBar
import android.widget.TextView
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.ViewGeometry
import org.kerassegformer.demo.R
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.pictures.toRectF

/** The views of the live screen: shows what the session holds, and tells it what is tapped. */
internal class LiveView(
    private val activity: Activity,
    private val session: LiveSession,
    settingsActions: SettingsActions,
    private val onSave: () -> Unit,
    private val onShare: () -> Unit,
) {
    private val resources = activity.resources
    private val texts = EngineTexts(resources)
    private val stage: StageView = activity.part(R.id.stage)
    private val preview: TextureView = activity.part(R.id.preview)
    private val over: View = activity.part(R.id.over)
    private val middle: View = activity.part(R.id.middle)
    private val top: View = activity.part(R.id.top)
    private val timesLine: View = activity.part(R.id.times_line)
    private val panel: View = activity.part(R.id.panel)
    private val legend: LegendView = activity.part(R.id.legend)
    private val legendEmpty: View = activity.part(R.id.legend_empty)
    private val notice: TextView = activity.part(R.id.notice)
    private val opacity: SeekBar = activity.part(R.id.opacity)
    private val opacityValue: TextView = activity.part(R.id.opacity_value)
    private val torch: ImageButton = activity.part(R.id.torch)
    private val flip: ImageButton = activity.part(R.id.flip)
    private val freeze: ImageButton = activity.part(R.id.freeze)
    private val save: View = activity.part(R.id.save)
    private val share: View = activity.part(R.id.share_button)
    private val settingsPage: View = activity.part(R.id.settings_page)
    private val settingsContent: View = activity.part(R.id.settings_panel)
    private val message = MessageCard(activity.part(R.id.message), session::dispatch)
    private val times = TimesPanel(activity.part(R.id.times))
    private val settings = SettingsPanel(settingsPage, settingsActions)
    private var legendAt = 0L

    init {
        connectButtons()
        connectOpacity()
        stage.onPlaceNamed = { name ->
            stage.announceForAccessibility(name ?: resources.getString(R.string.place_unknown))
        }
        legend.onClassTapped = { session.dispatch(ScreenEvent.SelectClass(it)) }
        preview.surfaceTextureListener = PreviewListener()
        if (preview.isAvailable) session.showPreviewOn(preview.surfaceTexture)
        over.addOnLayoutChangeListener { _, _, _, _, _, _, _, _, _ -> placePicture() }
        middle.addOnLayoutChangeListener { _, _, _, _, _, _, _, _, _ -> placePicture() }
        Insets.listen(activity.part(R.id.root), ::applyInsets)
    }

    /** The activity ends: the camera must not draw on its views any more. */
    fun release() {
        preview.surfaceTextureListener = null
        session.showPreviewOn(null)
    }

    fun showState() {
        val state = session.state
        message.show(ScreenMessage.of(state), modelDetail())
        showButtons(state)
        settingsPage.visibility = visibleIf(state.settingsOpen)
        over.importantForAccessibility = importanceBehind(state.settingsOpen)
        stage.importantForAccessibility = importanceBehind(state.settingsOpen)
        settings.show(session.settings, session.listing, session.model)
        showOpacity(session.settings.opacity)
        // Names below the open times would shine through them.
        stage.names = session.settings.names && !state.timesOpen
        showLegend(now = true)
        showNotice()
        showTimes()
        placePreview()
    }

    fun showPicture() {
        stage.shown = session.shown
        showLegend(now = session.state.still || session.shown == null || legend.childCount == 0)
        showWhetherFreezable()
    }

    fun showTimes() {
        val state = session.state
        val live = state.source == Source.CAMERA
        times.show(session.engineState, session.stats, session.heat, state.timesOpen, live)
        showNotice()
        describeStage(state)
    }

    private fun connectButtons() {
        fun on(id: Int, action: () -> Unit) = activity.part<View>(id).setOnClickListener { action() }
        on(R.id.times) { session.dispatch(ScreenEvent.ToggleTimes) }
        on(R.id.torch) { session.dispatch(ScreenEvent.ToggleTorch) }
        on(R.id.flip) { session.dispatch(ScreenEvent.Flip) }
        on(R.id.open_picture) { session.dispatch(ScreenEvent.ChoosePicture) }
        on(R.id.settings) { session.dispatch(ScreenEvent.OpenSettings) }
        on(R.id.save, onSave)
        on(R.id.share_button, onShare)
        on(R.id.freeze) {
            val picture = session.state.source == Source.PICTURE
            session.dispatch(if (picture) ScreenEvent.BackToCamera else ScreenEvent.ToggleFreeze)
        }
    }

    private fun connectOpacity() {
        opacity.setOnSeekBarChangeListener(object : SeekBar.OnSeekBarChangeListener {
            override fun onProgressChanged(bar: SeekBar, progress: Int, fromUser: Boolean) {
                showOpacity(progress)
                if (fromUser && !dragged) keep(progress)
            }

            private var dragged = false

            override fun onStartTrackingTouch(bar: SeekBar) {
                dragged = true
            }

            override fun onStopTrackingTouch(bar: SeekBar) {
                dragged = false
                keep(bar.progress)
            }

            private fun keep(progress: Int) = session.change(session.settings.copy(opacity = progress))
        })
    }

    private fun showOpacity(percent: Int) {
        if (opacity.progress != percent) opacity.progress = percent
        val text = resources.getString(R.string.opacity_value, percent)
        opacityValue.text = text
        stage.opacity = percent / SettingsStore.FULL_OPACITY.toFloat()
    }

    private fun showButtons(state: ScreenState) {
        torch.visibility = visibleIf(state.hasTorch)
        torch.setImageResource(if (state.torch) R.drawable.ic_flash_on else R.drawable.ic_flash_off)
        torch.contentDescription = resources.getString(if (state.torch) R.string.flash_off else R.string.flash_on)
        flip.visibility = visibleIf(state.canFlip)
        save.visibility = hiddenUnless(state.still)
        share.visibility = hiddenUnless(state.still)
        val (icon, text) = when {
            state.source == Source.PICTURE -> R.drawable.ic_camera to R.string.back_to_camera
            state.frozen -> R.drawable.ic_play to R.string.resume
            else -> R.drawable.ic_pause to R.string.freeze
        }
        freeze.setImageResource(icon)
        freeze.contentDescription = resources.getString(text)
        showWhetherFreezable()
        val keepOn = state.source == Source.CAMERA && state.camera is CameraStatus.Streaming && !state.frozen
        stage.keepScreenOn = keepOn
    }

    private fun hiddenUnless(shown: Boolean): Int = if (shown) View.VISIBLE else View.INVISIBLE

    /** Film frames follow fast: the legend is read by people, and follows slower. */
    private fun showLegend(now: Boolean) {
        val time = SystemClock.elapsedRealtime()
        if (!now && time - legendAt < LEGEND_MILLIS) return
        legendAt = time
        val shares = session.shown?.shares.orEmpty()
        legend.show(shares, session.state.selectedClass)
        legend.visibility = visibleIf(shares.isNotEmpty())
        legendEmpty.visibility = visibleIf(shares.isEmpty())
    }

    /** There is something to freeze as soon as the model has answered. */
    private fun showWhetherFreezable() {
        val state = session.state
        freeze.isEnabled = state.source == Source.PICTURE || state.frozen || session.shown?.map != null
        freeze.alpha = if (freeze.isEnabled) 1f else DISABLED_ALPHA
    }

    private fun showNotice() {
        val steadied = session.settings.steady && session.state.source == Source.CAMERA
        val text = when {
            session.heat.slowsDown -> resources.getString(R.string.heat_slowed)
            steadied -> resources.getString(R.string.smoothing_delay, session.smoothingDelay)
            else -> null
        }
        notice.text = text
        notice.visibility = visibleIf(text != null)
    }

    private fun describeStage(state: ScreenState) {
        val shares = session.shown?.shares.orEmpty()
        val base = when {
            session.shown == null -> R.string.stage_empty_description
            state.source == Source.PICTURE -> R.string.stage_picture_description
            else -> R.string.stage_description
        }
        val classes = shares.take(SPOKEN_CLASSES).joinToString { "${it.name} ${texts.share(it.share)}" }
        stage.contentDescription = "${resources.getString(base)} $classes".trim()
    }

    private fun modelDetail(): String? = (session.engineState as? EngineState.Failed)?.let(texts::why)

    private fun importanceBehind(covered: Boolean): Int =
        if (covered) View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS else View.IMPORTANT_FOR_ACCESSIBILITY_AUTO

    private fun applyInsets(covered: Rect) {
        val side = panelAtSide()
        middle.setPadding(covered.left, covered.top, if (side) 0 else covered.right, 0)
        val space = resources.getDimensionPixelSize(R.dimen.space_large)
        val bottom = resources.getDimensionPixelSize(R.dimen.panel_bottom)
        panel.setPadding(
            space + if (side) 0 else covered.left,
            resources.getDimensionPixelSize(R.dimen.space) + if (side) covered.top else 0,
            space + covered.right,
            bottom + covered.bottom,
        )
        settingsContent.setPadding(
            if (side) 0 else covered.left, if (side) covered.top else 0, covered.right, covered.bottom,
        )
        placePicture()
    }

    private fun panelAtSide(): Boolean = panel.layoutParams.height == ViewGroup.LayoutParams.MATCH_PARENT

    /** The picture is shown whole where no panel covers it. */
    private fun placePicture() {
        val margin = resources.getDimensionPixelSize(R.dimen.space_small)
        // The times may be opened over the picture; they do not push it away.
        val line = timesLine.height + top.paddingTop + top.paddingBottom
        val above = if (panelAtSide()) middle.paddingTop + margin else middle.paddingTop + line
        stage.setFree(
            middle.left + middle.paddingLeft + margin,
            above,
            middle.right - middle.paddingRight - margin,
            middle.bottom - if (panelAtSide()) margin else 2 * margin,
        )
        placePreview()
    }

    /** The preview lies exactly where the pictures of the camera are shown. */
    private fun placePreview() {
        val camera = session.openCamera
        val free = stage.free
        val status = session.state.camera
        // Seen from the start of the opening on, or its surface would come when the camera runs already.
        preview.visibility = hiddenUnless(status == CameraStatus.Opening || status is CameraStatus.Streaming)
        if (camera == null || free.isEmpty) return
        val front = camera.facing == CameraFacing.FRONT
        val rotation = Orientation.ofCamera(camera.sensorDegrees, session.displayDegrees, front).rotation
        val frame = FrameGeometry(camera.width, camera.height, camera.width, camera.height, rotation)
        val box = ViewGeometry(frame, free.width(), free.height(), Framing.FIT).picture.toRectF()
        val place = FrameLayout.LayoutParams(box.width().toInt(), box.height().toInt(), Gravity.TOP or Gravity.LEFT)
        place.leftMargin = free.left + box.left.toInt()
        place.topMargin = free.top + box.top.toInt()
        val before = preview.layoutParams as FrameLayout.LayoutParams
        val same = before.width == place.width && before.height == place.height &&
            before.leftMargin == place.leftMargin && before.topMargin == place.topMargin
        if (!same) preview.layoutParams = place
        preview.setTransform(PreviewTransform.of(place.width, place.height, session.displayDegrees))
    }

    private inner class PreviewListener : TextureView.SurfaceTextureListener {
        override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) =
            session.showPreviewOn(texture)

        override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) = Unit

        override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
            session.showPreviewOn(null)
            return true
        }

        override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit
    }

    private companion object {
        const val LEGEND_MILLIS = 400L
        const val DISABLED_ALPHA = .4f
        const val SPOKEN_CLASSES = 5
    }
}
