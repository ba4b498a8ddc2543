package org.sparkqlora.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.weights.FourBitPart;

/**
 * A file of weights in four bits as it lies in the folder of a model that is being quantised. A note beside it, written last, holds its hash:
 * who finds both has what was written.
 */
public record QuantizedPart(FileSystem files, Path folder, String name) {
    private static final String WEIGHTS = ".safetensors";
    private static final String NOTE = ".written.json";

    /** A part that is there. */
    public record Stored(StoredFile file, FourBitPart.Written written) implements Serializable {}

    /** Name of the note of the file {@code name}. */
    static String note(String name) {
        return name.substring(0, name.length() - WEIGHTS.length()) + NOTE;
    }

    /** The part if an earlier attempt finished it; one that is not as it was written is refused. */
    public Optional<Stored> find() throws IOException {
        Path note = new Path(folder, note(name));
        if (!files.exists(note)) {
            return Optional.empty();
        }

        try (InputStream in = files.open(note)) {
            String text = BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), note);
            Stored stored = QuantizedPartJson.read(note.toString(), name, text);
            stored.file().verify(files, folder);
            return Optional.of(stored);
        } catch (DamagedFileException e) {
            throw new BadInputException(
                    "Cannot go on in %s: %s. Delete that file and %s; the same command then writes it again"
                            .formatted(folder, e.getMessage(), note.getName()),
                    e);
        } catch (FileNotFoundException e) {
            return Optional.empty(); // somebody has taken the file away: it is written again
        }
    }

    /** Copies the part from this host, unless another attempt of the same has done so by now. */
    public Stored store(java.nio.file.Path written, FourBitPart.Written cost) throws IOException {
        StoredFile file =
                SameFile.create(files, folder, name, () -> StoredFile.of(written), out -> Files.copy(written, out));
        Stored stored = new Stored(file, cost);
        byte[] note = QuantizedPartJson.write(stored).getBytes(StandardCharsets.UTF_8);
        SameFile.create(files, folder, StoredFile.of(note(name), note), out -> out.write(note));
        return stored;
    }

    /** Whether a file of this name is of the part {@code name}, or was begun as such. */
    static boolean isOf(String name, String found) {
        String begun = WholeFile.targetOf(found).orElse(found);
        return begun.equals(name) || begun.equals(note(name));
    }
}
