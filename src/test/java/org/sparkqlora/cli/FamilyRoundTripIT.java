package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.options.Sessions;

/** Of every family, adapters make the trip to PEFT and back, and both sides write the same tokens and merge the same weights. */
@Tag("platform")
class FamilyRoundTripIT {
    /** Two libraries in float32, as a share of summed losses of some 50. */
    private static final double TOLERANCE = 1e-5;

    /** A float32 sum of a weight and its adapter, rounded once here and several times there. */
    private static final double MERGE_TOLERANCE = 1e-6;

    /** What an adapter changes of a document's loss, at least. */
    private static final double EFFECT = 1e-2;

    @TempDir
    private static Path temporary;

    private static JsonNode theirs;

    @BeforeAll
    static void letBothSidesWork() throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open();
        Map<String, Object> job = new LinkedHashMap<>();
        for (String family : GoldenModel.FAMILIES) {
            FamilyTrip trip = trip(family);
            trip.write();
            job.put(family, trip.job());
        }

        Path file = temporary.resolve("job.json");
        Path result = temporary.resolve("result.json");
        new ObjectMapper().writeValue(file.toFile(), job);
        python.run("family_trips.py", file, result);
        theirs = new ObjectMapper().readTree(result.toFile());
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest
    @FieldSource("org.sparkqlora.model.GoldenModel#FAMILIES")
    void peftComputesTheLossesOfAdaptersThatWeWrote(String family) throws IOException {
        FamilyTrip trip = trip(family);

        assertSame(trip.losses(trip.ours()), result(family).path("ours"));
        assertOther(result(family).path("ours"), result(family).path("base"));
    }

    @ParameterizedTest
    @FieldSource("org.sparkqlora.model.GoldenModel#FAMILIES")
    void weComputeTheLossesOfAdaptersThatPeftWrote(String family) throws IOException {
        FamilyTrip trip = trip(family);

        assertSame(trip.losses(trip.theirs()), result(family).path("theirs"));
        assertOther(result(family).path("theirs"), result(family).path("base"));
    }

    @ParameterizedTest
    @FieldSource("org.sparkqlora.model.GoldenModel#FAMILIES")
    void greedyTokensAreThoseOfTransformers(String family) throws IOException {
        JsonNode answer = result(family).path("answer");

        assertThat(trip(family).answer(ints(answer.path("prompt"))))
                .hasSize(FamilyTrip.NEW_TOKENS)
                .isEqualTo(ints(answer.path("ids")));
    }

    @ParameterizedTest
    @FieldSource("org.sparkqlora.model.GoldenModel#FAMILIES")
    void weightsMergeAsPeftMergesThem(String family) {
        assertThat(result(family).path("merge_error").asDouble(1)).isLessThan(MERGE_TOLERANCE);
    }

    private static FamilyTrip trip(String family) {
        return new FamilyTrip(family, temporary);
    }

    private static JsonNode result(String family) {
        return theirs.path(family);
    }

    private static void assertSame(List<Double> losses, JsonNode expected) {
        assertThat(losses).hasSize(expected.size()).hasSizeGreaterThan(2);
        for (int i = 0; i < losses.size(); i++) {
            double sum = expected.get(i).asDouble();
            assertThat(losses.get(i)).isCloseTo(sum, offset(TOLERANCE * sum));
        }
    }

    private static void assertOther(JsonNode losses, JsonNode base) {
        assertThat(losses.get(0).asDouble())
                .as("the adapter matters")
                .isNotCloseTo(base.get(0).asDouble(), offset(EFFECT));
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asInt();
        }

        return values;
    }
}
