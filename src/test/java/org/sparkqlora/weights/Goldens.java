package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Recorded reference files among the test resources. */
public final class Goldens {
    public static final List<String> MODELS =
            List.of("llama-tied", "llama-rope3-bf16", "llama-sharded", "mistral-window", "qwen2-bias", "qwen3-qknorm");

    private Goldens() {}

    public static Path path(String name) {
        try {
            return Path.of(Goldens.class.getResource("/goldens/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot find golden " + name, e);
        }
    }

    public static Path base(String model) {
        return path("models/" + model + "/base");
    }

    /** Copies a model folder to {@code target}, for tests that damage it. */
    static Path copyBase(String model, Path target) {
        try (Stream<Path> files = Files.list(base(model))) {
            Files.createDirectories(target);
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(file.getFileName().toString()));
            }

            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
