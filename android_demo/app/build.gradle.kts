import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.kerassegformer.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.kerassegformer.demo"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        ndk {
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }

    // full: with the delegates of TF Lite 2.16, for phones with 4 KB pages; store: without them. See pom.xml.
    // litert: LiteRT 2, from Google's repository; its sources are in src/litert.
    flavorDimensions += "libraries"
    productFlavors {
        create("full") { dimension = "libraries" }
        create("store") { dimension = "libraries" }
        create("litert") { dimension = "libraries" }
    }

    // The same variables as for `make apk`; without them a release is not signed, which Google Play and phones refuse.
    val keystore = System.getenv("ANDROID_KEYSTORE")
    if (keystore != null) {
        signingConfigs.create("release") {
            storeFile = file(keystore)
            storePassword = System.getenv("ANDROID_KEYSTORE_PASSWORD")
            keyAlias = System.getenv("ANDROID_KEY_ALIAS")
            keyPassword = System.getenv("ANDROID_KEY_PASSWORD")
        }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("proguard-rules.pro")
            signingConfig = signingConfigs.findByName("release")
        }
    }

    // Names of the classes in other languages, from the Python package.
    sourceSets["main"].assets.srcDir("../../keras_segformer/label_sets/translations")

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    // Models are memory-mapped from the APK.
    androidResources {
        noCompress += "tflite"
    }

    // Compressed, as in the Maven build: Android extracts them at installation.
    packaging {
        jniLibs.useLegacyPackaging = true
        // The JARs of JavaCPP and of TF Lite have these under the same names.
        resources.excludes += "META-INF/native-image/**"
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all { it.systemProperty("robolectric.graphicsMode", "NATIVE") }
        }
    }
}

androidComponents {
    onVariants(selector().withFlavor("libraries" to "litert")) { variant ->
        variant.packaging.jniLibs.excludes.add("**/libtensorflowlite*.so")
    }
    onVariants(selector().withFlavor("libraries" to "store")) { variant ->
        variant.packaging.jniLibs.excludes.add("**/libtensorflowlite*.so")
        // Files for GPUs and NPUs, which it could not use.
        variant.androidResources.ignoreAssetsPatterns.addAll(file("store_excludes.txt").readLines())
    }
}

kotlin {
    explicitApi()
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
        allWarningsAsErrors = true
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.kotlinx.coroutines.core)
    implementation(libs.kotlinx.coroutines.android)
    implementation(libs.tflite)
    implementation(libs.tflite.api)
    implementation(libs.tflite.gpu)
    implementation(libs.tflite.gpu.api)

    implementation(libs.bytedeco.tensorflow.lite)
    "litertImplementation"(libs.litert)
    for (flavour in listOf("full", "store")) {
        for (abi in listOf("android-arm64", "android-x86_64")) {
            "${flavour}Implementation"(variantOf(libs.bytedeco.tensorflow.lite) { classifier(abi) })
            "${flavour}Implementation"(variantOf(libs.bytedeco.javacpp) { classifier(abi) })
        }
    }

    testImplementation(libs.junit)
    testImplementation(libs.kotlinx.coroutines.test)
    testImplementation(libs.robolectric)
    testImplementation(libs.animal.sniffer)
    testImplementation(libs.asm.tree)
    testImplementation(variantOf(libs.bytedeco.tensorflow.lite) { classifier("linux-x86_64") })
    testImplementation(variantOf(libs.bytedeco.javacpp) { classifier("linux-x86_64") })

    androidTestImplementation(libs.androidx.test.monitor)
    androidTestImplementation(libs.androidx.test.runner)
    androidTestImplementation(libs.androidx.test.core)
    androidTestImplementation(libs.androidx.test.junit)
}
