package org.kerassegformer.demo.ui

/**
 * Interprets the answers to requests of the camera permission.
 *
 * Android reports a dialog that was dismissed like one that it did not show, because the permission was refused for
 * good. Only a permission that was refused once before can be refused for good.
 */
internal class PermissionAnswers(private val settings: SettingsStore) {
    /**
     * Returns true if the permission may be requested again.
     *
     * @param granted null if the request was interrupted
     * @param rationale `shouldShowRequestPermissionRationale` after the answer: true after the first refusal
     */
    fun mayAskAgain(granted: Boolean?, rationale: Boolean): Boolean {
        if (granted == null) return true
        val wasRefused = settings.cameraRefused
        settings.cameraRefused = !granted && (rationale || wasRefused)
        return granted || rationale || !wasRefused
    }
}
