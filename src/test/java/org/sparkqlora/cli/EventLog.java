package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Spark's event log of one application.
 *
 * @param text of the file
 * @param events a line each
 */
record EventLog(String text, List<JsonNode> events) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** The only one in a folder. */
    static EventLog in(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> logs = files.toList();
            if (logs.size() != 1) {
                throw new IllegalStateException("Cannot tell which of %s is meant".formatted(logs));
            }

            return read(logs.get(0));
        }
    }

    private static EventLog read(Path file) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            events.add(MAPPER.readTree(line));
        }

        return new EventLog(Files.readString(file), events);
    }

    List<JsonNode> of(String event) {
        return events.stream()
                .filter(line -> line.path("Event").asText().equals(event))
                .toList();
    }

    /** A setting that the application ran with. */
    String setting(String key) {
        return of("SparkListenerEnvironmentUpdate")
                .get(0)
                .path("Spark Properties")
                .path(key)
                .asText();
    }
}
