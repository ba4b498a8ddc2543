package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;

class SettingsTest {
    @TempDir
    private Path folder;

    @Test
    void textHasOptionsInTheOrderOfHelpWhateverTheOrderOfValues() {
        Map<String, Object> values =
                Map.of("learningRate", 2e-4, "rank", 8, "modulesToSave", new String[] {"lm_head", "embed_tokens"});

        assertThat(Settings.TRAIN.text(values).lines())
                .containsExactly(
                        "--rank=8",
                        "--modules-to-save=lm_head",
                        "--modules-to-save=embed_tokens",
                        "--learning-rate=2.0E-4");
    }

    @Test
    void flagThatIsOffHasNoText() {
        assertThat(Settings.TRAIN.text(Map.of("useDora", false))).isEmpty();
    }

    @Test
    void valuesFillTheOptionsOfARun() {
        TrainOptions options = TrainOptions.of(Map.of(
                "model", folder.toString(), "output", folder.resolve("out").toString(), "shards", 2, "seed", 7L));

        assertThat(options.run.shards).isEqualTo(2);
        assertThat(options.run.seed).isEqualTo(7);
        assertThat(options.data.sources).isEmpty();
    }

    @Test
    void allProblemsAreReportedTogether() {
        assertThatThrownBy(() -> TrainOptions.of(Map.of("model", folder.toString(), "epochs", -1.0)))
                .isInstanceOf(BadInputException.class)
                .hasMessage("2 problems\n  Missing required option: '--output=PATH'\n"
                        + "  --epochs: expected more than 0, found -1.0");
    }

    @Test
    void adapterThatIsNotThereIsAProblemOfItsUse() {
        Location nowhere = Location.of(folder.resolve("nowhere"));

        assertThatThrownBy(() ->
                        UseOptions.of(Map.of("model", folder.toString()), UsedAdapters.of(nowhere, Map.of(), null)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("--adapter: Cannot open folder");
    }

    @Test
    void valueOfAnUnknownNameIsRefused() {
        assertThatThrownBy(() -> TrainOptions.of(Map.of("rankk", 8)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot set [rankk]: expected settings of TRAIN");
    }
}
