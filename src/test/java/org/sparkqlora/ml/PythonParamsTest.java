package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Python package names the params of the stages in its signatures. */
class PythonParamsTest {
    private static final Path FILE = Path.of("src", "main", "python", "sparkqlora", "params.py");
    private static final Pattern PARAM = Pattern.compile("^ {4}(\\w+): ", Pattern.MULTILINE);

    static List<Params> stages() {
        return List.of(new QLoraEstimator(), new PerplexityEvaluator());
    }

    @ParameterizedTest
    @MethodSource("stages")
    void signatureHasTheParamsOfTheStageInTheOrderOfTheAlphabet(Params stage) throws IOException {
        List<String> params =
                Arrays.stream(stage.params()).map(Param::name).sorted().toList();

        assertThat(named(stage.getClass().getSimpleName() + "Params"))
                .as("params of %s in %s", stage.getClass().getSimpleName(), FILE)
                .isEqualTo(params);
    }

    private static List<String> named(String type) throws IOException {
        String text = Files.readString(FILE);
        int begin = text.indexOf("class " + type + "(");
        String body = text.substring(begin, text.indexOf("\n\n\n", begin));
        return PARAM.matcher(body).results().map(found -> found.group(1)).toList();
    }
}
