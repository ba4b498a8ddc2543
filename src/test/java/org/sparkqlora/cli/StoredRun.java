package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.spark.cluster.Location;

/**
 * The files of a run that are equal for every run of its plan, wherever it ran and however often it was interrupted.
 *
 * @param adapter its weights
 * @param state all that training needs to go on, the optimiser's included
 * @param metrics lines without what depends on the clock, or on how long the process has lived
 */
record StoredRun(byte[] adapter, byte[] state, List<String> metrics) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static StoredRun read(String output) throws IOException {
        Location folder = Location.parse(output);
        return new StoredRun(
                bytes(folder.resolve("adapter").resolve("adapter_model.safetensors")),
                state(newestCheckpoint(folder.resolve("checkpoints"))),
                metrics(folder.resolve("metrics.jsonl")));
    }

    void assertEquals(StoredRun expected) {
        assertThat(metrics).isEqualTo(expected.metrics);
        assertThat(adapter).isEqualTo(expected.adapter);
        assertThat(state).isEqualTo(expected.state);
    }

    /** In one file or in parts, whose names sort in the order of the bytes. */
    private static byte[] state(Location checkpoint) throws IOException {
        ByteArrayOutputStream state = new ByteArrayOutputStream();
        for (Path part : Arrays.stream(checkpoint.files().listStatus(checkpoint.path()))
                .map(FileStatus::getPath)
                .sorted()
                .toList()) {
            state.write(bytes(new Location(part)));
        }

        return state.toByteArray();
    }

    private static Location newestCheckpoint(Location checkpoints) throws IOException {
        FileSystem files = checkpoints.files();
        FileStatus newest = Arrays.stream(files.listStatus(checkpoints.path()))
                .filter(FileStatus::isDirectory)
                .max((a, b) -> Long.compare(step(a.getPath()), step(b.getPath())))
                .orElseThrow();
        return new Location(newest.getPath());
    }

    /** Of a folder called step-N-... */
    private static long step(Path folder) {
        String rest = folder.getName().substring("step-".length());
        return Long.parseLong(rest.substring(0, rest.indexOf('-')));
    }

    private static List<String> metrics(Location file) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : file.text().orElseThrow().lines().toList()) {
            ObjectNode node = (ObjectNode) MAPPER.readTree(line);
            List<String> names = new ArrayList<>();
            node.fieldNames().forEachRemaining(names::add);
            node.remove(names.stream()
                    .filter(name -> name.contains("second") || name.contains("resident") || name.equals("spark_share"))
                    .toList());
            lines.add(node.toString());
        }

        return lines;
    }

    private static byte[] bytes(Location file) throws IOException {
        try (InputStream in = file.files().open(file.path())) {
            return in.readAllBytes();
        }
    }
}
