import com.android.apksig.ApkSigner;
import com.android.apksig.KeyConfig;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/**
 * Aligns and signs an APK with schemes v2 and v3: {@code java -cp apksig.jar SignApk.java UNSIGNED SIGNED MIN_SDK}.
 *
 * <p>The key is configured by environment variables, which keeps passwords out of the process list: {@code ANDROID_KEYSTORE},
 * {@code ANDROID_KEYSTORE_PASSWORD}, {@code ANDROID_KEY_ALIAS} and {@code ANDROID_KEY_PASSWORD}.
 */
public final class SignApk {
    /** For phones with 4 KB and 16 KB pages. */
    private static final int PAGE_BYTES = 16384;

    public static void main(String[] args) {
        try {
            sign(new File(args[0]), new File(args[1]), Integer.parseInt(args[2]));
        } catch (Exception error) {
            System.err.println("The APK cannot be signed: " + error.getMessage());
            System.exit(1);
        }
    }

    private static void sign(File unsigned, File signed, int minSdk) throws Exception {
        File unfinished = new File(signed.getPath() + ".part");
        new ApkSigner.Builder(List.of(signer()))
                .setInputApk(unsigned)
                .setOutputApk(unfinished)
                .setMinSdkVersion(minSdk)
                .setV1SigningEnabled(false)
                .setV2SigningEnabled(true)
                .setV3SigningEnabled(true)
                .setV4SigningEnabled(false)
                .setAlignmentPreserved(false)
                .setLibraryPageAlignmentBytes(PAGE_BYTES)
                .build()
                .sign();
        Files.move(unfinished.toPath(), signed.toPath(), StandardCopyOption.REPLACE_EXISTING);
    }

    private static ApkSigner.SignerConfig signer() throws Exception {
        Path path = Path.of(variable("ANDROID_KEYSTORE"));
        String alias = variable("ANDROID_KEY_ALIAS");
        KeyStore store = KeyStore.getInstance(path.toFile(), variable("ANDROID_KEYSTORE_PASSWORD").toCharArray());
        char[] password = variable("ANDROID_KEY_PASSWORD").toCharArray();
        if (!(store.getKey(alias, password) instanceof PrivateKey key)) {
            throw new IllegalArgumentException("there is no key '" + alias + "' in " + path + "; set ANDROID_KEY_ALIAS");
        }
        List<X509Certificate> certificates = new ArrayList<>();
        for (Certificate certificate : store.getCertificateChain(alias)) {
            certificates.add((X509Certificate) certificate);
        }
        return new ApkSigner.SignerConfig.Builder(alias, new KeyConfig.Jca(key), certificates).build();
    }

    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("the variable " + name + " is not set");
        }
        return value;
    }
}
