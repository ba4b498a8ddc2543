package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.tokenizer.ModelTokenizer;

/** transformers, PEFT and bitsandbytes read our files, we read those of PEFT, and both sides compute the same. */
@Tag("platform")
class PythonRoundTripIT {
    /** Two libraries in float32, over losses between 0.1 and 5. */
    private static final double TOLERANCE = 2e-5;

    /** bitsandbytes multiplies in the bfloat16 that a 4-bit folder asks for. */
    private static final double FOUR_BIT_TOLERANCE = 0.01;

    private static final int PROJECTIONS = 14;

    @TempDir
    private static Path temporary;

    private static RoundTripFiles files;
    private static JsonNode theirs;

    @BeforeAll
    static void letBothSidesWork() throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open();
        files = RoundTripFiles.make(temporary);
        Path result = temporary.resolve("result.json");
        python.run("round_trips.py", files.writeJob(), result);
        theirs = new ObjectMapper().readTree(result.toFile());
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "base",
                "lora",
                "rslora",
                "dora",
                "pissa",
                "olora-dora",
                "saved",
                "apart",
                "grown",
                "merged",
                "merged-saved",
                "merged-apart",
                "merged-grown",
                "merged-quantized"
            })
    void transformersAndPeftComputeOurLoss(String name) {
        assertThat(loss(files.evaluated(name))).isCloseTo(theirLoss(name), offset(TOLERANCE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"four-bits", "four-bits-lora"})
    void bitsandbytesComputesTheLossOfOurFourBits(String name) {
        assertThat(loss(files.evaluated(name))).isCloseTo(theirLoss(name), offset(FOUR_BIT_TOLERANCE));
        assertThat(theirs.at("/losses/%s/four_bit_layers".formatted(name)).asInt())
                .isEqualTo(PROJECTIONS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "rslora", "dora", "pissa", "saved", "grown"})
    void weComputeTheLossOfAdaptersThatPeftWrote(String name) {
        double expected = theirs.at("/adapters/" + name).asDouble();

        assertThat(loss(files.theirAdapter(name))).isCloseTo(expected, offset(TOLERANCE));
        assertThat(expected).as("the adapter matters").isNotCloseTo(theirLoss("base"), offset(0.01));
    }

    @Test
    void classifiersMakeTheTripBothWays() {
        double own = classLoss(RoundTripModel.stored(files.base(), files.adapter(RoundTripFiles.CLASSES)));

        assertThat(own).isCloseTo(theirs.at("/classes/adapter").asDouble(), offset(TOLERANCE));
        assertThat(own).isCloseTo(theirs.at("/classes/merged").asDouble(), offset(TOLERANCE));
        assertThat(classLoss(files.theirAdapter(RoundTripFiles.CLASSES)))
                .isCloseTo(theirs.at("/classes/theirs").asDouble(), offset(TOLERANCE));
    }

    private static double classLoss(RoundTripModel model) {
        List<String> line =
                new ArrayList<>(List.of("evaluate", "--data", files.labelled().toString(), "--sequence-length", "64"));
        line.addAll(List.of("--objective", "classify", "--labels", "says,lives"));
        line.addAll(model.options());
        return assertedSummary(line).path("loss").asDouble();
    }

    @ParameterizedTest
    @ValueSource(strings = {"taught", "untaught"})
    void greedyAnswersAreThoseOfTransformers(String name) throws IOException {
        List<String> expected = new ArrayList<>();
        theirs.at("/answers/" + name).forEach(text -> expected.add(text.asText()));

        List<String> answers = new ArrayList<>();
        for (String prompt : RoundTripFiles.PROMPTS) {
            List<String> line = new ArrayList<>(List.of("generate", "--prompt", prompt));
            line.addAll(List.of("--max-new-tokens", String.valueOf(RoundTripFiles.NEW_TOKENS)));
            line.addAll(files.asked(name).options());
            answers.add(summary(line).path("text").asText());
        }

        assertThat(answers).hasSize(5).isEqualTo(expected);
    }

    @Test
    void theTokenizerCutsConversationsAsTransformersDoes() {
        assertThat(theirs.path("rows_cut_otherwise").asInt(-1)).isZero();
    }

    @Test
    void theTokenizerBesideAnAdapterKnowsNewTokensInTransformers() {
        List<Integer> expected = new ArrayList<>();
        theirs.path("cut").forEach(id -> expected.add(id.asInt()));

        try (ModelTokenizer tokenizer = ModelTokenizer.open(files.adapter("grown"))) {
            assertThat(tokenizer.encodeWithoutSpecials(RoundTripFiles.CUT_TEXT))
                    .contains(tokenizer.vocabularySize() - 2, tokenizer.vocabularySize() - 1)
                    .containsExactly(expected.toArray(Integer[]::new));
        }
    }

    private static double theirLoss(String name) {
        return theirs.at("/losses/%s/loss".formatted(name)).asDouble();
    }

    private static double loss(RoundTripModel model) {
        List<String> line =
                new ArrayList<>(List.of("evaluate", "--data", files.data().toString()));
        line.addAll(List.of("--sequence-length", RoundTripFiles.SEQUENCE_LENGTH));
        line.addAll(model.options());
        return assertedSummary(line).path("loss").asDouble();
    }

    private static JsonNode assertedSummary(List<String> line) {
        try {
            return summary(line);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode summary(List<String> line) throws IOException {
        return new ObjectMapper().readTree(RoundTripFiles.run(line).summary());
    }
}
