package org.kerassegformer.demo.benchmark

import android.content.Context
import android.os.Build
import org.kerassegformer.core.DeviceInfo
import org.kerassegformer.core.ModelSpec

/** Describes this phone for reports. */
internal fun currentDevice(context: Context): DeviceInfo = DeviceInfo(
    manufacturer = Build.MANUFACTURER,
    model = Build.MODEL,
    hardware = Build.HARDWARE,
    androidRelease = Build.VERSION.RELEASE,
    sdk = Build.VERSION.SDK_INT,
    abi = Build.SUPPORTED_ABIS.firstOrNull().orEmpty(),
    cores = Runtime.getRuntime().availableProcessors(),
    runtime = ModelSpec.APP_RUNTIME.toString(),
    app = context.packageManager.getPackageInfo(context.packageName, 0).versionName.orEmpty(),
)
