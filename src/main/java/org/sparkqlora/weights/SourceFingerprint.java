package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/**
 * A short name for the content of a model folder. Hashing hundreds of gigabytes at each start would cost more than the cache
 * saves: of each weights file the name, length, time of change and evenly spread samples are hashed, header included.
 */
public final class SourceFingerprint {
    private static final int SAMPLES = 64;
    private static final int SAMPLE_BYTES = 4096;

    private final MessageDigest digest = Sha256.digest();

    private SourceFingerprint() {}

    /** Hex digits that depend on the folder's content and on {@code purpose}. */
    public static String of(WeightFolder folder, String purpose) {
        SourceFingerprint fingerprint = new SourceFingerprint();
        fingerprint.add(purpose);
        try {
            fingerprint.digest.update(Files.readAllBytes(folder.path().resolve(ModelConfigJson.FILE_NAME)));
            for (Path file : CompanionFiles.of(folder.path())) {
                fingerprint.addFile(file);
            }

            for (SafetensorsFile file : folder.files()) {
                fingerprint.addFile(file.path());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + folder.path(), e);
        }

        return fingerprint.hex();
    }

    /**
     * Hex digits that depend on the configuration and the weights in {@code modelFolder}, wherever and whenever they were copied: of
     * each file the name, the length, the header and evenly spread samples are hashed. A training changes nearly every weight, and so
     * the samples; a change of a few bytes may go unseen.
     */
    public static String ofContent(Path modelFolder) {
        SourceFingerprint fingerprint = new SourceFingerprint();
        try (WeightFolder folder = WeightFolder.open(modelFolder)) {
            fingerprint.digest.update(Files.readAllBytes(modelFolder.resolve(ModelConfigJson.FILE_NAME)));
            for (SafetensorsFile file : folder.files()) {
                fingerprint.addContent(file.path());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + modelFolder, e);
        }

        return fingerprint.hex();
    }

    /** Hex digits that depend on the content of {@code file} and on {@code purpose}. */
    public static String of(Path file, String purpose) {
        SourceFingerprint fingerprint = new SourceFingerprint();
        fingerprint.add(purpose);
        try {
            fingerprint.addFile(file);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }

        return fingerprint.hex();
    }

    private void add(String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    private void addFile(Path file) throws IOException {
        add(String.format(
                Locale.ROOT, "%s %d %s", file.getFileName(), Files.size(file), Files.getLastModifiedTime(file)));
        addSamples(file);
    }

    private void addContent(Path file) throws IOException {
        add(String.format(Locale.ROOT, "%s %d", file.getFileName(), Files.size(file)));
        addSamples(file);
    }

    private void addSamples(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            ByteBuffer buffer = ByteBuffer.allocate(SAMPLE_BYTES);
            for (int i = 0; i < SAMPLES; i++) {
                channel.read(buffer.clear(), size / SAMPLES * i);
                digest.update(buffer.flip());
            }
        }
    }

    private String hex() {
        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }
}
