package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.tokenizer.packing.RowLayout;

/**
 * The result of a finished group, stored beside its rows, from which a killed preparation resumes. Its name holds the
 * fingerprint of the preparation, so it is never taken for that of another.
 */
record FinishedGroup(String folder, String prefix, int number) {
    String rowsName() {
        return String.format(Locale.ROOT, "%s-%05d.bin", prefix, number);
    }

    private Path file() {
        return new Path(folder, String.format(Locale.ROOT, "%s-%05d.json", prefix, number));
    }

    /** The result, if the group is done and its rows are there as a whole. */
    Optional<GroupResult> read(Configuration configuration, RowLayout layout) throws IOException {
        FileSystem files = StorePath.files(file(), configuration);
        if (!files.exists(file())) {
            return Optional.empty();
        }

        try (FSDataInputStream in = files.open(file())) {
            String json = BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), file());
            GroupResult result = GroupResultJson.read(json, number);
            PreparedFile rows = result.file();
            boolean whole = rows == null || DamagedRows.isWhole(rows, layout, folder, configuration);
            return whole ? Optional.of(result) : Optional.empty();
        } catch (BadInputException | ChecksumException e) {
            return Optional.empty(); // it only saves work: what cannot be read is made anew
        }
    }

    /** Written last, whole or not at all, over one of another attempt. */
    void write(GroupResult result, Configuration configuration) throws IOException {
        byte[] json = GroupResultJson.write(result).getBytes(StandardCharsets.UTF_8);
        WholeFile.replace(StorePath.files(file(), configuration), file(), json);
    }
}
