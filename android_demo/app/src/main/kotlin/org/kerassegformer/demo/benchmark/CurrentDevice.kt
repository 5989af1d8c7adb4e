package org.kerassegformer.demo.benchmark

import android.content.Context
import android.os.Build
import org.kerassegformer.core.DeviceInfo
import org.kerassegformer.core.RuntimeVersion

/** Describes this phone and the version of TF Lite for reports. */
internal fun currentDevice(context: Context, runtime: RuntimeVersion?): DeviceInfo = DeviceInfo(
    manufacturer = Build.MANUFACTURER,
    model = Build.MODEL,
    hardware = Build.HARDWARE,
    androidRelease = Build.VERSION.RELEASE,
    sdk = Build.VERSION.SDK_INT,
    abi = Build.SUPPORTED_ABIS.firstOrNull().orEmpty(),
    cores = Runtime.getRuntime().availableProcessors(),
    runtime = runtime?.toString() ?: "unknown",
    app = context.packageManager.getPackageInfo(context.packageName, 0).versionName.orEmpty(),
)
