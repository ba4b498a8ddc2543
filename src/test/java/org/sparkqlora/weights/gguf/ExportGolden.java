package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** A small model and the hashes of what llama.cpp makes of it ({@code src/test/python/make_gguf_export_goldens.py}). */
public record ExportGolden(String name, Path folder, JsonNode expected) {
    private static final Path GOLDENS = Path.of("src/test/resources/goldens");
    private static final Path EXPORTS = GOLDENS.resolve("gguf/export");

    public static ExportGolden of(String name) {
        try {
            Path folder = EXPORTS.resolve(name);
            return new ExportGolden(
                    name,
                    folder,
                    new ObjectMapper().readTree(folder.resolve("expected.json").toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static List<String> names() throws IOException {
        try (Stream<Path> folders = Files.list(EXPORTS)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /** The model's folder, made in {@code parent} under its own name. */
    public Path assemble(Path parent) throws IOException {
        Path model = Files.createDirectories(parent.resolve(name));
        copy(base().resolve("base"), model, "*.safetensors*");
        copy(folder, model, "*"); // some have weights of their own
        return model;
    }

    /** The model's adapter in PEFT layout. */
    public Path adapter() {
        return base().resolve("adapter");
    }

    public JsonNode file(String outType) {
        return expected.path("files").path(outType);
    }

    private Path base() {
        return GOLDENS.resolve("models").resolve(expected.path("base").asText());
    }

    private static void copy(Path from, Path to, String glob) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(from, glob)) {
            for (Path file : files) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
