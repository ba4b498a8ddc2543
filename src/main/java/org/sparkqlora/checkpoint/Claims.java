package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.StoredFile;

/**
 * Numbered claims of a folder, one small object each: the highest owns it. They fence off a driver that was given up but still
 * runs, such as the first attempt of a YARN application.
 */
record Claims(FileSystem files, Path folder) {
    private static final Pattern FORM = Pattern.compile("attempt-(\\d{1,18})");

    /** The names in a checkpoint folder. Asked for twice when there are none: a claimed folder is never empty. */
    static List<String> names(FileSystem files, Path folder) throws IOException {
        List<String> names = StorePath.names(files, folder);
        return names.isEmpty() ? StorePath.names(files, folder) : names;
    }

    static boolean isClaim(String name) {
        return FORM.matcher(name).matches();
    }

    /** The highest claim, or 0. */
    long highest() throws IOException {
        return names(files, folder).stream()
                .map(FORM::matcher)
                .filter(Matcher::matches)
                .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
                .max()
                .orElse(0);
    }

    /** The run that made a claim: not always the one that wrote it first, since a store may let two drivers create one object. */
    String holder(long attempt) throws IOException {
        Path claim = path(attempt);
        try (InputStream in = files.open(claim)) {
            return BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), claim);
        }
    }

    /** Takes the folder over for {@code run}. */
    long claim(String run) throws IOException {
        long attempt = highest() + 1;
        while (!create(attempt, run)) {
            attempt = highest() + 1;
        }

        return attempt;
    }

    /** False when another driver took this number in between. */
    private boolean create(long attempt, String run) throws IOException {
        try {
            StoredFile.write(files, path(attempt), out -> out.write(run.getBytes(StandardCharsets.UTF_8)));
            return true;
        } catch (FileAlreadyExistsException e) {
            if (highest() < attempt) {
                throw e; // something else is in the way
            }

            return false;
        }
    }

    Path path(long attempt) {
        return new Path(folder, "attempt-" + attempt);
    }
}
