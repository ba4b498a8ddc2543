package org.sparkqlora.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.gguf.GgufFolder;

/** A model as a command line names it: a folder, or a .gguf file that is converted to one once and then reused. */
final class ModelPath {
    /** Where copies of models go unless the user says so. */
    static final Path CACHE = Path.of(System.getProperty("java.io.tmpdir"), "spark-qlora-models");

    private ModelPath() {}

    /** A missing required option is the parser's to report. */
    static void check(Problems problems, String option, @Nullable Path model) {
        problems.require(
                model == null || Files.isDirectory(model) || GgufFolder.isGguf(model),
                "%s: Cannot open model %s: expected a folder or a .gguf file, found %s",
                option,
                model,
                model != null && Files.exists(model) ? "another file" : "nothing");
    }

    /** The model's folder, under {@code cache} when it must be converted. */
    static Path folder(Path model, Path cache) {
        return GgufFolder.isGguf(model) ? GgufFolder.cached(model, cache) : model;
    }
}
