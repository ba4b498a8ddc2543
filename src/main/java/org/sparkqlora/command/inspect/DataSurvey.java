package org.sparkqlora.command.inspect;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.Utf8Lines;

/**
 * The records of a file of JSON lines.
 *
 * @param byFormat records of each format
 * @param bad lines that are no record
 * @param firstBad the first of them: its line and what is wrong; empty when there is none
 */
record DataSurvey(Map<RecordFormat, Long> byFormat, long bad, String firstBad) {
    static DataSurvey of(Path file, RecordFormat format) {
        Counting counting = new Counting(format);
        try {
            Utf8Lines.each(file, counting::add);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }

        return new DataSurvey(counting.byFormat, counting.bad, counting.firstBad);
    }

    private static final class Counting {
        private final RecordFormat format;
        private final Map<RecordFormat, Long> byFormat = new TreeMap<>();
        private long line;
        private long bad;
        private String firstBad = "";

        private Counting(RecordFormat format) {
            this.format = format;
        }

        private void add(String text) {
            line++;
            if (text.isBlank()) {
                return;
            }

            try {
                ExampleJson.read(text, format);
                byFormat.merge(ExampleJson.formatOf(text, RecordReading.of(format)), 1L, Long::sum);
            } catch (BadRecordException e) {
                firstBad = bad == 0 ? String.format(Locale.ROOT, "line %d: %s", line, e.getMessage()) : firstBad;
                bad++;
            }
        }
    }
}
