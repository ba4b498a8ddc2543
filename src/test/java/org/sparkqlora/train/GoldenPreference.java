package org.sparkqlora.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.ContrastivePreference;
import org.sparkqlora.objective.DirectPreference;
import org.sparkqlora.objective.DirectPreference.Weighted;
import org.sparkqlora.objective.KahnemanTversky;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.OddsRatio;
import org.sparkqlora.objective.Reference;
import org.sparkqlora.objective.RewardModeling;
import org.sparkqlora.objective.UnpairedLoss;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * A case of the reference data in {@code goldens/preference}.
 *
 * @param expected its settings and steps
 */
record GoldenPreference(String name, JsonNode expected) {
    static final Path FOLDER = Path.of("src/test/resources/goldens/preference/llama-tied");

    private static final List<String> NAMES = List.of("a", "b", "c");

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Rows as prepared data has them. */
    enum Layout {
        PADDED(1),
        PACKED(3);

        private final int examplesARow;

        Layout(int examplesARow) {
            this.examplesARow = examplesARow;
        }
    }

    static List<GoldenPreference> all() {
        return Stream.of("expected.json", "reference-free.json", "scores.json")
                .flatMap(file -> in(FOLDER.resolve(file)).stream())
                .toList();
    }

    /** Cases on the base in 4 bits: the reference had its dequantised weights. */
    static List<GoldenPreference> quantized() {
        return Stream.of("nf4.json", "scores-nf4.json")
                .flatMap(file -> in(FOLDER.resolve(file)).stream())
                .toList();
    }

    static GoldenPreference of(String name) {
        return all().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static List<GoldenPreference> in(Path file) {
        List<GoldenPreference> cases = new ArrayList<>();
        json(file)
                .get("cases")
                .fields()
                .forEachRemaining(each -> cases.add(new GoldenPreference(each.getKey(), each.getValue())));
        return cases;
    }

    JsonNode step(int number) {
        return expected.get("steps").get(number);
    }

    /** Of which the adapter after the last step is recorded. */
    boolean hasAdapter() {
        return Files.exists(adapter());
    }

    Path adapter() {
        return FOLDER.resolve(name + ".safetensors");
    }

    Objective objective() {
        return objective(Reference.BASE);
    }

    Objective objective(Reference from) {
        JsonNode settings = expected.get("settings");
        double beta = settings.path("beta").asDouble(0.1);
        double smoothing = settings.path("label_smoothing").asDouble(0);
        return switch (expected.get("kind").asText()) {
            case "dpo" ->
                new DirectPreference(
                        losses(settings),
                        beta,
                        smoothing,
                        settings.has("ld_alpha") ? settings.get("ld_alpha").asDouble() : null,
                        from);
            case "kto" ->
                new KahnemanTversky(
                        UnpairedLoss.parse(settings.path("loss_type").asText("kto")),
                        beta,
                        settings.path("desirable_weight").asDouble(1),
                        settings.path("undesirable_weight").asDouble(1),
                        from);
            case "orpo" -> new OddsRatio(beta);
            case "cpo" ->
                ContrastivePreference.cpo(
                        beta, smoothing, settings.path("cpo_alpha").asDouble(1));
            case "simpo" ->
                ContrastivePreference.simpo(
                        beta,
                        settings.path("simpo_gamma").asDouble(),
                        smoothing,
                        settings.path("cpo_alpha").asDouble());
            case "reward" ->
                new RewardModeling(settings.path("center_rewards_coefficient").asDouble(0));
            case "classify" ->
                new Classification(new Labels(
                        ProblemType.parse(settings.path("problem_type").asText()), NAMES.subList(0, outputs())));
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** Of the head that scores texts; 0 where there is none. */
    int outputs() {
        return expected.path("outputs").asInt(0);
    }

    /** The adapter with a head that a case begins with. */
    Path first() {
        return FOLDER.resolve("score-" + outputs() + ".safetensors");
    }

    private static List<Weighted> losses(JsonNode settings) {
        List<Weighted> losses = new ArrayList<>();
        for (JsonNode loss : settings.path("loss_type")) {
            double weight = settings.path("loss_weights").path(losses.size()).asDouble(1);
            losses.add(new Weighted(loss.asText(), weight));
        }

        return losses.isEmpty() ? List.of(new Weighted("sigmoid", 1)) : losses;
    }

    List<TokenRow> rows(Layout layout) {
        return objective() instanceof Classification classes ? texts(layout, classes.labels()) : answers(layout);
    }

    private static List<TokenRow> texts(Layout layout, Labels labels) {
        List<JsonNode> lines = lines(FOLDER.resolve("labeled.jsonl"));
        List<TokenRow> rows = new ArrayList<>();
        for (int from = 0; from < lines.size(); from += layout.examplesARow) {
            List<JsonNode> members = lines.subList(from, from + layout.examplesARow);
            List<EncodedExample> documents =
                    members.stream().map(GoldenPreference::text).toList();
            double[] values = members.stream()
                    .flatMapToDouble(line -> DoubleStream.of(values(line, labels)))
                    .toArray();
            int width = documents.stream().mapToInt(EncodedExample::length).sum();
            rows.add(TokenRow.of(documents, width, values));
        }

        return rows;
    }

    private static EncodedExample text(JsonNode line) {
        int[] ids = ints(line.get("input_ids"));
        boolean[] trained = new boolean[ids.length];
        Arrays.fill(trained, true);
        return new EncodedExample(ids, trained);
    }

    private static double[] values(JsonNode line, Labels labels) {
        return switch (labels.problem()) {
            case SINGLE_LABEL_CLASSIFICATION -> new double[] {line.get("label").asInt()};
            case MULTI_LABEL_CLASSIFICATION -> {
                double[] applying = new double[labels.outputs()];
                line.get("labels").forEach(label -> applying[label.asInt()] = 1);
                yield applying;
            }
            case REGRESSION -> new double[] {line.get("number").asDouble()};
        };
    }

    private List<TokenRow> answers(Layout layout) {
        boolean compared = expected.get("kind").asText().equals("reward");
        boolean margins = expected.get("settings").path("margin").asBoolean();
        boolean unpaired = expected.get("kind").asText().equals("kto");
        List<JsonNode> lines = lines(FOLDER.resolve(unpaired ? "unpaired.jsonl" : "data.jsonl"));
        List<TokenRow> rows = new ArrayList<>();
        for (int from = 0; from < lines.size(); from += layout.examplesARow) {
            List<EncodedExample> documents = new ArrayList<>();
            List<Double> values = new ArrayList<>();
            for (int i = from; i < from + layout.examplesARow; i++) {
                JsonNode line = lines.get(i);
                JsonNode before = lines.get((i + lines.size() - 1) % lines.size());
                documents.add(document(line, line.get(unpaired ? "completion_ids" : "chosen_ids")));
                documents.add(document(line, unpaired ? before.get("completion_ids") : line.get("rejected_ids")));
                if (compared) {
                    double margin = margins ? 0.25 * i : 0;
                    values.addAll(List.of(margin, margin));
                }

                if (unpaired) {
                    double label = line.get("label").asBoolean() ? 1 : 0;
                    values.addAll(List.of(label, label));
                }
            }

            int width = documents.stream().mapToInt(EncodedExample::length).sum();
            rows.add(TokenRow.of(
                    documents,
                    width,
                    values.stream().mapToDouble(Double::doubleValue).toArray()));
        }

        return rows;
    }

    private static EncodedExample document(JsonNode line, JsonNode answer) {
        int[] prompt = ints(line.get("prompt_ids"));
        int[] ids = IntStream.concat(IntStream.of(prompt), IntStream.of(ints(answer)))
                .toArray();
        boolean[] trained = new boolean[ids.length];
        IntStream.range(prompt.length, ids.length).forEach(t -> trained[t] = true);
        return new EncodedExample(ids, trained);
    }

    private static int[] ints(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static List<JsonNode> lines(Path file) {
        try {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                lines.add(JSON.readTree(line));
            }

            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode json(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
