package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.junit.jupiter.api.Test;
import org.sparkqlora.cli.CommandRun;

class StageSettingsTest {
    private static final Pattern OPTION = Pattern.compile("^[ *]+(?:-\\w, )?--([a-z0-9-]+)", Pattern.MULTILINE);

    /** Options that a table or a column stands for, and options that are no settings. */
    private static final Set<String> OF_COMMANDS_ALONE = Set.of(
            "data",
            "config",
            "help",
            "helpAll",
            "version",
            "prompt",
            "prompts",
            "promptTable",
            "promptColumn",
            "answerTable",
            "tableFormat",
            "commitRows",
            "adapter",
            "adapterColumn",
            "answerLosses",
            "dryRun",
            "overwrite",
            "result");

    private static final Set<String> OF_STAGES_ALONE =
            Set.of("inputCol", "outputCol", "lossCol", "errorCol", "answerLossCol");

    @Test
    void everyOptionIsAParamAndEveryParamAnOption() {
        Set<String> options = options("train");
        options.addAll(options("generate"));
        options.removeAll(OF_COMMANDS_ALONE);

        Set<String> params = names(new QLoraEstimator());
        params.removeAll(OF_STAGES_ALONE);

        assertThat(params).isEqualTo(options);
    }

    @Test
    void paramsOfTheModelAreOptionsThatGenerateOrEvaluateHas() {
        Set<String> options = options("generate");
        options.addAll(options("evaluate"));
        Set<String> params = names(new QLoraModel("model", null));

        assertThat(params).containsAll(OF_STAGES_ALONE);
        params.removeAll(OF_STAGES_ALONE);
        params.removeAll(Set.of("adapters", "adapterCol")); // --adapter and --adapter-column
        assertThat(options).containsAll(params);
    }

    @Test
    void valuesBecomeWhatTheParamHolds() {
        QLoraEstimator estimator = new QLoraEstimator()
                .option("learningRate", 1)
                .option("rank", "8")
                .option("seed", 7)
                .option("useDora", true)
                .option("modulesToSave", List.of("lm_head"))
                .option("rankPattern", "q_proj=4,v_proj=2");

        assertThat(estimator.getLearningRate()).isEqualTo(1.0);
        assertThat(estimator.getRank()).isEqualTo(8);
        assertThat(estimator.getOrDefault(estimator.seed())).isEqualTo(7L);
        assertThat(estimator.getOrDefault(estimator.getParam("useDora"))).isEqualTo(true);
        assertThat((String[]) estimator.getOrDefault(estimator.getParam("modulesToSave")))
                .containsExactly("lm_head");
        assertThat((String[]) estimator.getOrDefault(estimator.getParam("rankPattern")))
                .containsExactly("q_proj=4", "v_proj=2");
    }

    @Test
    void foldersOfFitsAreNamedAsEarlierVersionsNamedThem() {
        QLoraEstimator estimator = new QLoraEstimator()
                .setLearningRate(2e-4)
                .setModel("org/name")
                .setOutput("anywhere")
                .setRank(8);

        assertThat(estimator.runName("0123")).isEqualTo("run-344aec05b0d90c2c");
    }

    @Test
    void numberThatIsNoneIsRefused() {
        assertThatThrownBy(() -> new QLoraEstimator().option("rank", 2.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("rank: expected Integer, found 2.5");
    }

    @Test
    void moduleThatCannotBeSavedIsRefused() {
        assertThatThrownBy(() -> new QLoraEstimator().option("modulesToSave", "norm"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("modulesToSave")
                .hasMessageContaining("norm");
    }

    private static Set<String> names(Params stage) {
        return new TreeSet<>(Arrays.stream(stage.params()).map(Param::name).toList());
    }

    private static Set<String> options(String command) {
        String help = String.join("\n", CommandRun.of(command, "--help-all").out());
        Set<String> names = new HashSet<>();
        OPTION.matcher(help).results().forEach(found -> names.add(camelCase(found.group(1))));
        assertThat(names).contains("model", "method");
        return new TreeSet<>(names);
    }

    private static String camelCase(String option) {
        return Pattern.compile("-([a-z0-9])")
                .matcher(option)
                .replaceAll(found -> found.group(1).toUpperCase(java.util.Locale.ROOT));
    }
}
