package org.kerassegformer.demo.ui

import android.app.Activity
import android.graphics.Rect
import android.graphics.SurfaceTexture
import android.os.SystemClock
import android.text.format.DateUtils
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
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.pictures.MaskPainter
import org.kerassegformer.demo.pictures.SegmentedPicture
import org.kerassegformer.demo.pictures.toRectF

/** The views of the live screen: displays the session and forwards user input to it. */
internal class LiveView(
    private val activity: Activity,
    private val session: LiveSession,
    settingsActions: SettingsActions,
    private val onSave: () -> Unit,
    private val onShare: () -> Unit,
) {
    private val resources = activity.resources
    private val names = ClassNames.of(activity)
    private val texts = EngineTexts(resources, names)
    private val segmentation: SegmentationView = activity.requireView(R.id.segmentation)
    private val preview: TextureView = activity.requireView(R.id.preview)
    private val over: View = activity.requireView(R.id.over)
    private val middle: View = activity.requireView(R.id.middle)
    private val top: View = activity.requireView(R.id.top)
    private val topLine: View = activity.requireView(R.id.top_line)
    private val controls: View = activity.requireView(R.id.controls)
    private val legend = LegendItems(activity.requireView(R.id.legend), R.layout.legend_row, names)
    private val chips = LegendItems(activity.requireView(R.id.chips), R.layout.legend_chip, names)
    private val legendBar: DragLayout = activity.requireView(R.id.legend_bar)
    private val legendLine: View = activity.requireView(R.id.legend_line)
    private val sheet: DragLayout = activity.requireView(R.id.sheet)
    private val sheetTitle: TextView = activity.requireView(R.id.sheet_title)
    private val legendPage: View = activity.requireView(R.id.legend_page)
    private val timesPage: View = activity.requireView(R.id.latency_details)
    private val zoom: TextView = activity.requireView(R.id.zoom)
    private val notice: TextView = activity.requireView(R.id.notice)
    private val opacity: SeekBar = activity.requireView(R.id.opacity)
    private val opacityValue: TextView = activity.requireView(R.id.opacity_value)
    private val torch: ImageButton = activity.requireView(R.id.torch)
    private val flip: ImageButton = activity.requireView(R.id.flip)
    private val freeze: ImageButton = activity.requireView(R.id.freeze)
    private val save: View = activity.requireView(R.id.save)
    private val share: View = activity.requireView(R.id.share_button)
    private val settingsPage: View = activity.requireView(R.id.settings_page)
    private val settingsContent: View = activity.requireView(R.id.settings_panel)
    private val message = MessageCard(activity.requireView(R.id.message), session::dispatch)
    private val times = LatencyPanel(activity.requireView(R.id.latency), timesPage, names)
    private val settings = SettingsPanel(settingsPage, settingsActions)
    private var legendAt = 0L

    /** What is shown. */
    private var ui = session.state.value
    private var isEmpty = true

    private val isSideways: Boolean get() = controls.layoutParams.height == ViewGroup.LayoutParams.MATCH_PARENT

    init {
        connectButtons()
        connectSheet()
        connectOpacity()
        segmentation.classNames = names
        segmentation.onFocus = { x, y -> session.dispatch(ScreenEvent.Focus(x, y)) }
        segmentation.onZoom = { session.dispatch(ScreenEvent.Zoom(it)) }
        segmentation.onPlaceTapped = { name ->
            segmentation.announceForAccessibility(name ?: resources.getString(R.string.place_unknown))
        }
        preview.surfaceTextureListener = PreviewListener()
        if (preview.isAvailable) session.showPreviewOn(preview.surfaceTexture)
        over.addOnLayoutChangeListener { _, _, _, _, _, _, _, _, _ -> placePicture() }
        middle.addOnLayoutChangeListener { _, _, _, _, _, _, _, _, _ -> placePicture() }
        Insets.listen(activity.requireView(R.id.root), ::applyInsets)
    }

    /** Detaches the camera from the views of a destroyed activity. */
    fun release() {
        preview.surfaceTextureListener = null
        session.showPreviewOn(null)
    }

    /** Shows a state: of the video, only what changed since the last one. */
    fun show(ui: UiState) {
        val before = this.ui.takeUnless { isEmpty }
        isEmpty = false
        this.ui = ui
        if (before?.shown !== ui.shown) showPicture()
        val same = before?.copy(shown = ui.shown)
        when (ui) {
            same -> Unit
            same?.copy(latency = ui.latency, recordedSeconds = ui.recordedSeconds) -> showLatency()
            else -> showState(ui.screen)
        }
    }

    private fun showState(state: ScreenState) {
        message.show(ScreenMessage.of(state), modelDetail())
        showButtons(state)
        settingsPage.visibility = visibleIf(state.settingsOpen)
        over.importantForAccessibility = importanceBehind(state.settingsOpen)
        segmentation.importantForAccessibility = importanceBehind(state.settingsOpen)
        settings.show(ui)
        showOpacity(ui.settings.opacity)
        segmentation.names = ui.settings.names
        segmentation.isLive = state.source == Source.CAMERA && !state.frozen
        showSheet(state)
        showLegend(now = true)
        showNotice()
        showLatency()
        placePicture()
    }

    private fun showPicture() {
        segmentation.shown = ui.shown
        showLegend(now = ui.screen.still || ui.shown == null || legendLine.visibility != View.VISIBLE)
        placePicture()
        updateFreezeButton()
    }

    private fun showLatency() {
        val state = ui.screen
        val live = state.source == Source.CAMERA
        times.show(ui.engine, ui.latency, ui.thermal, state.sheet == Sheet.TIMES, live)
        showNotice()
        describeSegmentation(state)
    }

    private fun connectButtons() {
        fun on(id: Int, action: () -> Unit) = activity.requireView<View>(id).setOnClickListener { action() }
        on(R.id.latency) { session.dispatch(ScreenEvent.ToggleSheet(Sheet.TIMES)) }
        on(R.id.legend_expand) { session.dispatch(ScreenEvent.ToggleSheet(Sheet.CLASSES)) }
        on(R.id.sheet_close) { session.dispatch(ScreenEvent.CloseSheet) }
        on(R.id.zoom) { session.dispatch(ScreenEvent.ResetZoom) }
        on(R.id.torch) { session.dispatch(ScreenEvent.ToggleTorch) }
        on(R.id.flip) { session.dispatch(ScreenEvent.Flip) }
        on(R.id.open_picture) { session.dispatch(ScreenEvent.ChoosePicture) }
        on(R.id.settings) { session.dispatch(ScreenEvent.OpenSettings) }
        on(R.id.save, onSave)
        on(R.id.share_button, onShare)
        on(R.id.freeze) {
            val event = when {
                ui.screen.recording -> ScreenEvent.ToggleRecording
                ui.screen.source == Source.PICTURE -> ScreenEvent.BackToCamera
                else -> ScreenEvent.ToggleFreeze
            }
            session.dispatch(event)
        }
        freeze.setOnLongClickListener {
            session.dispatch(ScreenEvent.ToggleRecording)
            true
        }
    }

    private fun connectSheet() {
        for (items in listOf(legend, chips)) items.onClassTapped = { session.dispatch(ScreenEvent.SelectClass(it)) }
        legendBar.onDragged = { up ->
            if (up) session.dispatch(ScreenEvent.ToggleSheet(Sheet.CLASSES))
        }
        sheet.onDragged = { up -> if (!up) session.dispatch(ScreenEvent.CloseSheet) }
    }

    private fun showSheet(state: ScreenState) {
        sheet.visibility = visibleIf(state.sheet != null)
        legendPage.visibility = visibleIf(state.sheet == Sheet.CLASSES)
        timesPage.visibility = visibleIf(state.sheet == Sheet.TIMES)
        sheetTitle.setText(if (state.sheet == Sheet.TIMES) R.string.latency_title else R.string.legend)
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

            private fun keep(progress: Int) = session.change(ui.settings.copy(opacity = progress))
        })
    }

    private fun showOpacity(percent: Int) {
        if (opacity.progress != percent) opacity.progress = percent
        opacityValue.text = texts.percent(percent)
        segmentation.opacity = percent / SettingsStore.FULL_OPACITY.toFloat()
    }

    private fun showButtons(state: ScreenState) {
        torch.visibility = visibleIf(state.hasTorch)
        torch.setImageResource(if (state.torch) R.drawable.ic_flash_on else R.drawable.ic_flash_off)
        torch.contentDescription = resources.getString(if (state.torch) R.string.flash_off else R.string.flash_on)
        flip.visibility = hiddenUnless(state.canFlip)
        zoom.visibility = visibleIf(state.analysing && state.zoom > 1f)
        zoom.text = texts.zoom(state.zoom)
        zoom.contentDescription = resources.getString(R.string.zoom_reset, zoom.text)
        save.visibility = hiddenUnless(state.still)
        share.visibility = hiddenUnless(state.still)
        val (icon, text) = when {
            state.recording -> R.drawable.ic_stop to R.string.record_stop
            state.source == Source.PICTURE -> R.drawable.ic_camera to R.string.back_to_camera
            state.frozen -> R.drawable.ic_play to R.string.resume
            else -> null to R.string.freeze
        }
        freeze.setImageDrawable(icon?.let(activity::getDrawable))
        freeze.visibility = hiddenUnless(state.hasShutter)
        freeze.contentDescription = resources.getString(text)
        updateFreezeButton()
        val keepOn = state.source == Source.CAMERA && state.camera is CameraStatus.Streaming && !state.frozen
        segmentation.keepScreenOn = keepOn
    }

    private fun hiddenUnless(shown: Boolean): Int = if (shown) View.VISIBLE else View.INVISIBLE

    /** Updates the legend, at a reduced rate for video so that it stays readable. */
    private fun showLegend(now: Boolean) {
        val time = SystemClock.elapsedRealtime()
        if (!now && time - legendAt < LEGEND_MILLIS) return
        legendAt = time
        val shares = ui.shown?.shares.orEmpty()
        names.labelSet = ui.shown?.labelSet?.name
        legend.show(shares, ui.screen.selectedClass)
        chips.show(shares, ui.screen.selectedClass)
        legendLine.visibility = visibleIf(shares.isNotEmpty())
    }

    /** The image can be frozen after the first result. */
    private fun updateFreezeButton() {
        val state = ui.screen
        freeze.isEnabled = state.source == Source.PICTURE || state.frozen || state.recording || ui.shown?.map != null
        freeze.alpha = if (freeze.isEnabled) 1f else DISABLED_ALPHA
    }

    private fun showNotice() {
        val isSmoothed = ui.settings.smoothing && ui.screen.source == Source.CAMERA
        val text = when {
            ui.screen.recording -> recordingTime()
            ui.thermal.isThrottled -> resources.getString(R.string.thermal_throttled)
            isSmoothed && ui.shown?.let(::isTooLarge) == true -> resources.getString(R.string.smoothing_too_large)
            isSmoothed -> resources.getString(R.string.smoothing_delay)
            else -> null
        }
        notice.text = text
        notice.visibility = visibleIf(text != null)
    }

    private fun recordingTime(): String =
        resources.getString(R.string.recording, DateUtils.formatElapsedTime((ui.recordedSeconds ?: 0).toLong()))

    private fun isTooLarge(picture: SegmentedPicture): Boolean {
        val map = picture.map ?: return false
        return !MaskPainter.canSmooth(map, picture.labelSet ?: return false)
    }

    private fun describeSegmentation(state: ScreenState) {
        val shares = ui.shown?.shares.orEmpty()
        val base = when {
            ui.shown == null -> R.string.segmentation_empty_description
            state.source == Source.PICTURE -> R.string.segmentation_picture_description
            else -> R.string.segmentation_camera_description
        }
        val classes = shares.take(DESCRIBED_CLASSES).joinToString { "${names.of(it.name)} ${texts.share(it.share)}" }
        segmentation.contentDescription = "${resources.getString(base)} $classes".trim()
    }

    private fun modelDetail(): String? = (ui.engine as? EngineState.Failed)?.let(texts::why)

    private fun importanceBehind(covered: Boolean): Int =
        if (covered) View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS else View.IMPORTANT_FOR_ACCESSIBILITY_AUTO

    private fun applyInsets(covered: Rect) {
        val side = isSideways
        val space = resources.getDimensionPixelSize(R.dimen.controls)
        middle.setPadding(covered.left, covered.top, if (side) 0 else covered.right, 0)
        controls.setPadding(
            space + if (side) 0 else covered.left,
            space + if (side) covered.top else 0,
            space + covered.right,
            space + covered.bottom,
        )
        for (page in listOf(sheet, settingsContent)) {
            page.setPadding(if (side) 0 else covered.left, if (side) covered.top else 0, covered.right, covered.bottom)
        }
        placePicture()
    }

    /** Places the image: as wide as the screen, and below the bar at the top if it fits there. */
    private fun placePicture() {
        val left = middle.left + middle.paddingLeft
        val right = middle.right - middle.paddingRight
        val needed = ((right - left) / aspectRatio()).toInt()
        val above = minOf(middle.top + top.top + topLine.bottom, maxOf(0, middle.bottom - needed))
        segmentation.setContentBounds(left, above, right, middle.bottom)
        placeLegend()
        placePreview()
    }

    /** Places the classes over the lower edge of the image, or below an image that ends above them. */
    private fun placeLegend() {
        val below = segmentation.contentBounds.bottom - (segmentation.pictureBox?.bottom ?: Float.MAX_VALUE)
        legendBar.translationY = if (below > 0 && below < legendBar.height) -below else 0f
        val bounds = segmentation.contentBounds
        val bottom = if (legendLine.visibility == View.VISIBLE) middle.top + legendBar.y.toInt() else bounds.bottom
        segmentation.labelBounds.set(
            bounds.left,
            maxOf(bounds.top, middle.top + top.top + topLine.bottom),
            bounds.right,
            minOf(bounds.bottom, bottom),
        )
    }

    /** Width of the displayed image divided by its height. */
    private fun aspectRatio(): Float {
        ui.shown?.picture?.let { return it.width / it.height.toFloat() }
        val frame = ui.camera?.let(::frameOf) ?: return if (isSideways) 4f / 3 else 3f / 4
        return frame.uprightWidth / frame.uprightHeight.toFloat()
    }

    private fun frameOf(camera: OpenCamera): FrameGeometry {
        val front = camera.facing == CameraFacing.FRONT
        val rotation = Orientation.ofCamera(camera.sensorDegrees, ui.displayDegrees, front).rotation
        return FrameGeometry(camera.width, camera.height, camera.width, camera.height, rotation)
    }

    /** Aligns the preview with the displayed camera frames. */
    private fun placePreview() {
        val camera = ui.camera
        val free = segmentation.contentBounds
        val status = ui.screen.camera
        // Visible while opening, or its surface would only be available after the camera started.
        preview.visibility = hiddenUnless(status == CameraStatus.Opening || status is CameraStatus.Streaming)
        if (camera == null || free.isEmpty) return
        val frame = frameOf(camera)
        val box = ViewGeometry(frame, free.width(), free.height(), Framing.FIT).picture.toRectF()
        val place = FrameLayout.LayoutParams(box.width().toInt(), box.height().toInt(), Gravity.TOP or Gravity.LEFT)
        place.leftMargin = free.left + box.left.toInt()
        place.topMargin = free.top + box.top.toInt()
        val before = preview.layoutParams as FrameLayout.LayoutParams
        val same = before.width == place.width && before.height == place.height &&
            before.leftMargin == place.leftMargin && before.topMargin == place.topMargin
        if (!same) preview.layoutParams = place
        preview.setTransform(PreviewTransform.of(place.width, place.height, ui.displayDegrees))
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
        const val DESCRIBED_CLASSES = 5
    }
}
