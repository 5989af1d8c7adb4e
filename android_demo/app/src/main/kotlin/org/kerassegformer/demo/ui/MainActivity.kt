package org.kerassegformer.demo.ui

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Bundle
import android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS
import android.view.View
import android.widget.Toast
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import org.kerassegformer.demo.R
import org.kerassegformer.demo.models.IfTaken
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.PictureGallery

/** The live screen. Displays a [LiveSession], which survives configuration changes. */
internal class MainActivity : Activity(), SettingsActions {
    private lateinit var scope: CoroutineScope
    private lateinit var session: LiveSession
    private lateinit var view: LiveView
    private lateinit var documents: DocumentRequests
    private lateinit var saver: PictureSaver
    private lateinit var models: ModelImports
    private lateinit var permissionAnswers: PermissionAnswers
    private val back = BackButton(this) { session.dispatch(ScreenEvent.Back) }
    private val rotation = RotationObserver(this) { session.turn(it) }
    private var receiving: Job? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        setTheme(R.style.AppTheme_Live)
        super.onCreate(savedInstanceState)
        Insets.drawBehindBars(window)
        setContentView(R.layout.activity_main)
        val container = AppContainer.factory(this)
        val retained = lastNonConfigurationInstance as LiveSession?
        session = retained ?: LiveSession(container)
        permissionAnswers = PermissionAnswers(container.settings)
        documents = DocumentRequests(this)
        saver = PictureSaver(session, container, documents)
        models = ModelImports(this, container, session)
        view = LiveView(this, session, this, onSave = { saver.save() }, onShare = { saver.share() })
        if (retained == null) savedInstanceState?.let { session.restore(ScreenSnapshot.read(it)) }
        if (retained == null && savedInstanceState == null) openShared(intent)
        scope = container.newScope()
        scope.launch { session.state.collect(::show) }
    }

    /** Another image was shared with the app while it was open. */
    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        openShared(intent)
    }

    private fun openShared(intent: Intent) {
        DocumentRequests.sharedPicture(intent)?.let { session.dispatch(ScreenEvent.PictureChosen(it.toString())) }
    }

    override fun onStart() {
        super.onStart()
        rotation.start()
        // What waits is only done by an activity on the screen: another one may follow when the device is turned.
        receiving = scope.launch { session.effects.collect(::perform) }
        val allowed = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED
        session.start(allowed)
    }

    override fun onStop() {
        super.onStop()
        rotation.stop()
        receiving?.cancel()
        session.stop()
    }

    override fun onDestroy() {
        super.onDestroy()
        scope.cancel()
        view.release()
        if (!isChangingConfigurations) session.close()
    }

    /** Keeps the model, the displayed image and the state while the activity is recreated. */
    @Deprecated("The platform API for activities without AndroidX ViewModel.")
    override fun onRetainNonConfigurationInstance(): Any = session

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        ScreenSnapshot.of(session.state.value.screen).writeTo(outState)
    }

    override fun onTrimMemory(level: Int) {
        super.onTrimMemory(level)
        session.trimMemory(level)
    }

    @Deprecated("The platform API up to Android 12.")
    override fun onBackPressed(): Unit = session.dispatch(ScreenEvent.Back)

    private fun show(ui: UiState) {
        back.isHandled = ScreenStateMachine.handlesBack(ui.screen)
        view.show(ui)
    }

    private fun perform(effect: ScreenEffect.ForActivity) {
        when (effect) {
            ScreenEffect.AskPermission -> requestPermissions(arrayOf(Manifest.permission.CAMERA), CAMERA_REQUEST)
            ScreenEffect.OpenAppSettings ->
                start(Intent(ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null)))
            ScreenEffect.ChoosePicture -> documents.openPicture()
            ScreenEffect.Leave -> finish()
            is ScreenEffect.Notify -> notify(effect.text, *effect.arguments)
            is ScreenEffect.ShowImportProblem -> showImportProblem(effect.text)
            is ScreenEffect.AskToReplace -> askToReplace(effect.text, effect.documents)
            is ScreenEffect.Share -> share(effect.picture)
        }
    }

    private fun notify(text: Int, vararg arguments: Any) =
        Toast.makeText(this, getString(text, *arguments), Toast.LENGTH_LONG).show()

    private fun showImportProblem(text: String) {
        AlertDialog.Builder(this)
            .setTitle(R.string.import_failed_title)
            .setMessage(text)
            .setPositiveButton(R.string.close, null)
            .show()
    }

    private fun askToReplace(text: String, documents: List<Uri>) {
        AlertDialog.Builder(this)
            .setMessage(text)
            .setPositiveButton(R.string.import_replace) { _, _ -> models.import(documents, IfTaken.REPLACE) }
            .setNeutralButton(R.string.import_keep_both) { _, _ -> models.import(documents, IfTaken.KEEP_BOTH) }
            .setNegativeButton(R.string.settings_cancel, null)
            .show()
    }

    private fun share(picture: Uri) {
        val send = Intent(Intent.ACTION_SEND)
            .setType(PictureGallery.MIME_TYPE)
            .putExtra(Intent.EXTRA_STREAM, picture)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        send.clipData = ClipData.newRawUri("", picture)
        start(Intent.createChooser(send, getString(R.string.share_picture)))
    }

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<String>, grantResults: IntArray) {
        super.onRequestPermissionsResult(requestCode, permissions, grantResults)
        if (requestCode != CAMERA_REQUEST) return
        // An empty result means that the request was interrupted.
        val granted = grantResults.firstOrNull()?.let { it == PackageManager.PERMISSION_GRANTED }
        val rationale = shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)
        val mayAskAgain = permissionAnswers.mayAskAgain(granted, rationale)
        session.dispatch(ScreenEvent.PermissionAnswered(granted == true, mayAskAgain))
    }

    override fun change(settings: Settings): Unit = session.change(settings)

    override fun importModel(): Unit = documents.open(DocumentRequests.MODEL, "*/*", several = true)

    override fun delete(model: StoredModel): Unit = models.delete(model)

    override fun forgetFailures() {
        session.forgetFailures()
        notify(R.string.settings_reset_done)
    }

    override fun openBenchmark(): Unit = start(Intent(this, BenchmarkActivity::class.java))

    override fun openLicences(): Unit = start(Intent(this, LicencesActivity::class.java))

    override fun close(): Unit = session.dispatch(ScreenEvent.CloseSettings)

    @Deprecated("The platform API without AndroidX.")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val documents = DocumentRequests.resultOf(resultCode, data)
        val first = documents.firstOrNull() ?: return
        when (requestCode) {
            DocumentRequests.PICTURE -> session.dispatch(ScreenEvent.PictureChosen(first.toString()))
            DocumentRequests.MODEL -> models.import(documents)
            DocumentRequests.SAVE_PICTURE -> saver.saveTo(first, share = false)
            DocumentRequests.SHARE_PICTURE -> saver.saveTo(first, share = true)
        }
    }

    private fun start(intent: Intent) {
        try {
            startActivity(intent)
        } catch (_: ActivityNotFoundException) {
            notify(R.string.no_app)
        }
    }

    private companion object {
        const val CAMERA_REQUEST = 1
    }
}
