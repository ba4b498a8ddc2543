package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.evaluation.Evaluator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Python package knows the params of the stages without a JVM: all that a server of Spark Connect finds. */
class PythonParamsTest {
    private static final Path PACKAGE = Path.of("src", "main", "python", "sparkqlora");
    private static final Path SIGNATURES = PACKAGE.resolve("params.py");
    private static final Path PARAMS = PACKAGE.resolve("params.json");
    private static final Pattern PARAM = Pattern.compile("^ {4}(\\w+): ", Pattern.MULTILINE);
    private static final String SHARED = "TrainingParams";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static List<Params> stages() {
        return Stream.of(Estimator.class, Transformer.class, Evaluator.class)
                .flatMap(kind -> ServiceLoader.load(kind).stream())
                .filter(found -> found.type().getName().startsWith("org.sparkqlora."))
                .<Params>map(found -> (Params) found.get())
                .toList();
    }

    /** A model is made by a fit, and takes no params. */
    static List<Params> madeByName() {
        return stages().stream().filter(stage -> !(stage instanceof Model)).toList();
    }

    @ParameterizedTest
    @MethodSource("madeByName")
    void signatureHasTheParamsOfTheStageInTheOrderOfTheAlphabet(Params stage) throws IOException {
        String type = stage.getClass().getSimpleName() + "Params";
        List<String> own = named(type);
        List<String> all = new ArrayList<>(own);
        if (Files.readString(SIGNATURES).contains("class %s(%s,".formatted(type, SHARED))) {
            all.addAll(named(SHARED));
        }

        assertThat(own).isSorted();
        assertThat(all)
                .as("params of %s in %s", stage.getClass().getSimpleName(), SIGNATURES)
                .containsExactlyInAnyOrderElementsOf(
                        sorted(stage).map(Param::name).toList());
    }

    /** {@code -Ddocs.write=true} writes the file anew. */
    @Test
    void fileHasTheParamsOfEveryStage() throws IOException {
        String expected = stages().stream()
                .map(stage -> "%s: {%n%s%n}"
                        .formatted(MAPPER.valueToTree(stage.getClass().getName()), described(stage)))
                .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
        if (Boolean.getBoolean("docs.write")) {
            Files.writeString(PARAMS, expected);
        }

        assertThat(PARAMS)
                .as("made by: mvn -B -Pquick -Dtest=PythonParamsTest -Ddocs.write=true test")
                .hasContent(expected);
    }

    private static String described(Params stage) {
        return sorted(stage)
                .map(param -> "  %s: %s".formatted(MAPPER.valueToTree(param.name()), described(stage, param)))
                .collect(Collectors.joining(",\n"));
    }

    private static ObjectNode described(Params stage, Param<?> param) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("type", param.getClass().getSimpleName()).put("doc", param.doc());
        stage.getDefault(param).foreach(value -> node.set("default", MAPPER.valueToTree(value)));
        return node;
    }

    private static Stream<Param<?>> sorted(Params stage) {
        return Arrays.<Param<?>>stream(stage.params()).sorted(Comparator.comparing(Param::name));
    }

    private static List<String> named(String type) throws IOException {
        String text = Files.readString(SIGNATURES);
        int begin = text.indexOf("class " + type + "(");
        String body = text.substring(begin, text.indexOf("\n\n\n", begin));
        return PARAM.matcher(body).results().map(found -> found.group(1)).toList();
    }
}
