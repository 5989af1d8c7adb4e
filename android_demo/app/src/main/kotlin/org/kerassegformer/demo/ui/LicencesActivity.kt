package org.kerassegformer.demo.ui

import android.app.Activity
import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.kerassegformer.demo.R
import org.kerassegformer.demo.models.StoredModel

/** Lists the licences of the app, of its libraries and of the models. */
internal class LicencesActivity : Activity() {
    private val rows: ViewGroup by lazy { requireView(R.id.licences) }
    private lateinit var scope: CoroutineScope

    override fun onCreate(savedInstanceState: Bundle?) {
        setTheme(R.style.AppTheme)
        super.onCreate(savedInstanceState)
        Insets.drawBehindBars(window)
        setContentView(R.layout.activity_licences)
        val root = requireView<View>(R.id.root)
        Insets.listen(root) { root.setPadding(it.left, it.top, it.right, it.bottom) }
        requireView<View>(R.id.back).setOnClickListener { finish() }
        add(getString(R.string.licence_app), APACHE)
        for ((library, terms) in LIBRARIES) add(library, terms)
        for ((library, terms) in INSIDE) add("$library (${getString(R.string.licence_inside)})", terms)
        val container = AppContainer.factory(this)
        scope = container.newScope()
        scope.launch {
            withContext(container.dispatchers.files) { container.models.list().models }.forEach(::add)
        }
    }

    override fun onDestroy() {
        super.onDestroy()
        scope.cancel()
    }

    private fun add(model: StoredModel) {
        val license = model.set.files.firstNotNullOfOrNull { it.spec.license }
        val terms = license?.let { "${it.name}\n${it.url}" } ?: getString(R.string.licence_unknown)
        add(getString(R.string.licence_model, model.name), terms)
    }

    private fun add(component: String, terms: String) {
        val row = LayoutInflater.from(this).inflate(R.layout.licence_row, rows, false)
        row.requireView<TextView>(R.id.licence_component).text = component
        row.requireView<TextView>(R.id.licence_terms).text = terms
        rows.addView(row)
    }

    private companion object {
        const val APACHE = "Apache License 2.0\nhttps://www.apache.org/licenses/LICENSE-2.0"

        val LIBRARIES = listOf(
            "TensorFlow Lite" to APACHE,
            "JavaCPP" to APACHE,
            "Kotlin" to APACHE,
            "kotlinx.coroutines" to APACHE,
            "kotlinx.serialization" to APACHE,
        )

        /** What the native libraries of TF Lite contain; see LICENSE and third_party in its repository. */
        val INSIDE = listOf(
            "Abseil, FlatBuffers, gemmlowp, ruy" to APACHE,
            "Eigen" to "Mozilla Public License 2.0\nhttps://www.mozilla.org/MPL/2.0",
            "XNNPACK" to "BSD 3-Clause\nhttps://github.com/google/XNNPACK/blob/master/LICENSE",
            "cpuinfo, pthreadpool" to "BSD 2-Clause\nhttps://github.com/pytorch/cpuinfo/blob/main/LICENSE",
            "FFT2D" to "Free for any purpose (Takuya Ooura)\nhttps://www.kurims.kyoto-u.ac.jp/~ooura/fft.html",
            "FP16, FXdiv, FarmHash" to "MIT License\nhttps://github.com/google/farmhash/blob/master/COPYING",
        )
    }
}
