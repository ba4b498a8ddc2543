package org.sparkqlora.weights.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.sparkqlora.storage.FolderFiles;

/** The files of weights that a model folder has. */
sealed interface WeightFiles {
    /** Of the index of shards, and of messages. */
    Path folder();

    boolean has(String name);

    SafetensorsFile open(String name);

    List<String> names();

    /** On this host. */
    record Here(Path folder) implements WeightFiles {
        @Override
        public boolean has(String name) {
            return Files.exists(folder.resolve(name));
        }

        @Override
        public SafetensorsFile open(String name) {
            return SafetensorsFile.open(folder.resolve(name));
        }

        @Override
        public List<String> names() {
            try (Stream<Path> files = Files.list(folder)) {
                return files.map(file -> file.getFileName().toString()).sorted().toList();
            } catch (IOException e) {
                throw new UncheckedIOException("Failed to list " + folder, e);
            }
        }
    }

    /** Files of which only ranges are read. */
    record Elsewhere(Path folder, FolderFiles files, Map<String, Long> lengths) implements WeightFiles {
        static Elsewhere list(Path folder, FolderFiles files) {
            try {
                return new Elsewhere(folder, files, files.lengths());
            } catch (IOException e) {
                throw new UncheckedIOException("Failed to list " + files.address(""), e);
            }
        }

        @Override
        public boolean has(String name) {
            return lengths.containsKey(name);
        }

        @Override
        public SafetensorsFile open(String name) {
            return SafetensorsFile.header(folder.resolve(name), files, lengths.getOrDefault(name, 0L));
        }

        @Override
        public List<String> names() {
            return lengths.keySet().stream().sorted().toList();
        }
    }
}
