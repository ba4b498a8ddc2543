package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.TrainRuns;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/** Which modules of the demo's two layers get an adapter, and of which shape, as {@code train} is told. */
class AdapterOptionsTest {
    private static final List<String> LINEARS = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj");

    @TempDir
    Path folder;

    private TrainRuns runs;

    @BeforeEach
    void writeInput() throws IOException {
        runs = TrainRuns.in(folder);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void ranksByPatternShapeTheTensors() throws IOException {
        train(
                "some",
                "--rank",
                "8",
                "--rank-pattern",
                "q_proj=4,layers\\.1\\.mlp\\..*=12",
                "--rank-pattern",
                "k_proj=2");

        assertThat(ranks("some")).containsExactlyInAnyOrderEntriesOf(of(path -> true, path -> {
            if (path.endsWith("q_proj")) {
                return 4;
            }

            if (path.endsWith("k_proj")) {
                return 2;
            }

            return path.startsWith("1.mlp") ? 12 : 8;
        }));
        assertThat(config("some").get("r").asInt()).isEqualTo(8);
        assertThat(config("some").get("rank_pattern").toString())
                .isEqualTo("{\"k_proj\":2,\"layers\\\\.1\\\\.mlp\\\\..*\":12,\"q_proj\":4}");
    }

    @Test
    void aRankForEveryModuleIsThatRank() throws IOException {
        train("pattern", "--rank", "8", "--alpha", "8", "--rank-pattern", ".*_proj=2", "--alpha-pattern", ".*_proj=16");
        train("plain", "--rank", "2", "--alpha", "16");

        assertThat(weights("pattern")).hasSameBinaryContentAs(weights("plain"));
    }

    @Test
    void alphasByPatternScaleTheirModules() throws IOException {
        train("pattern", "--target-modules", "q_proj,v_proj", "--alpha-pattern", "v_proj=4.5");
        train("plain", "--target-modules", "q_proj,v_proj");

        assertThat(config("pattern").get("lora_alpha").asInt()).isEqualTo(32);
        assertThat(config("pattern").get("alpha_pattern").toString()).isEqualTo("{\"v_proj\":4.5}");
        assertThat(ranks("pattern")).isEqualTo(ranks("plain"));
        assertThat(Files.readAllBytes(weights("pattern"))).isNotEqualTo(Files.readAllBytes(weights("plain")));
    }

    @Test
    void excludedModulesGetNoAdapter() throws IOException {
        train("some", "--exclude-modules", "lm_head,q_proj,mlp.up_proj");

        assertThat(ranks("some"))
                .containsExactlyInAnyOrderEntriesOf(
                        of(path -> !path.endsWith("q_proj") && !path.endsWith("up_proj"), path -> 16));
        assertThat(texts(config("some").get("exclude_modules"))).containsExactly("lm_head", "mlp.up_proj", "q_proj");
        assertThat(texts(config("some").get("target_modules")))
                .containsExactly("down_proj", "gate_proj", "k_proj", "o_proj", "v_proj");
    }

    @Test
    void modulesAreExcludedByExpressionToo() throws IOException {
        train("some", "--target-modules", "q_proj,down_proj", "--exclude-modules", ".*\\.0\\..*");

        assertThat(ranks("some"))
                .containsExactlyInAnyOrderEntriesOf(of(
                        path -> path.startsWith("1.") && (path.endsWith("q_proj") || path.endsWith("down_proj")),
                        path -> 16));
        assertThat(config("some").get("exclude_modules").textValue()).isEqualTo(".*\\.0\\..*");
    }

    @Test
    void layersThatAreNotNamedGetNoAdapter() throws IOException {
        train("some", "--layers-to-transform", "1", "--rank", "4");

        assertThat(ranks("some")).containsExactlyInAnyOrderEntriesOf(of(path -> path.startsWith("1."), path -> 4));
        assertThat(config("some").get("layers_to_transform").toString()).isEqualTo("[1]");
        assertThat(config("some").get("target_modules")).hasSize(7);
    }

    @Test
    void anExpressionChoosesModulesByTheirWholePath() throws IOException {
        String expression = "model\\.layers\\.(0\\.self_attn\\.[qv]|1\\.mlp\\.down)_proj";
        train("some", "--target-modules", expression);

        assertThat(ranks("some").keySet())
                .containsExactlyInAnyOrder("0.self_attn.q_proj", "0.self_attn.v_proj", "1.mlp.down_proj");
        assertThat(config("some").get("target_modules").textValue()).isEqualTo(expression);
    }

    @Test
    void anAdapterOfSomeModulesIsReadAgainAndTrainedOn() throws IOException {
        train(
                "some",
                "--layers-to-transform",
                "1",
                "--exclude-modules",
                "q_proj",
                "--rank-pattern",
                "k_proj=2",
                "--use-dora");
        String adapter = output("some").resolve("adapter").toString();
        train("more", "--init-adapter", adapter);

        assertThat(runs.evaluate(adapter).code()).isEqualTo(ExitCode.OK);
        assertThat(ranks("more")).isEqualTo(ranks("some"));
        assertThat(config("more")).isEqualTo(config("some"));
        assertThat(Files.readAllBytes(weights("more"))).isNotEqualTo(Files.readAllBytes(weights("some")));
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--target-modules | q_proj,q_prj | --target-modules: expected linear modules of the model, such as [q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]; found q_prj, which fits none",
                "--target-modules | q_proj,lm_head | --target-modules: Unsupported adapters on [lm_head]: expected modules of the layers; --modules-to-save trains these whole",
                "--target-modules | .* | --target-modules: Unsupported adapters on [model.embed_tokens, lm_head]",
                "--target-modules | .*[qk]_prj | --target-modules: expected linear modules of the model",
                "--target-modules | .*(q_proj | Unclosed group",
                "--exclude-modules | q_prj | --exclude-modules: expected linear modules of the model",
                "--exclude-modules | .*proj | --target-modules: expected modules that get an adapter, found none in all-linear without .*proj",
                "--layers-to-transform | 1,2 | --layers-to-transform: expected layers 0 to 1, found [2]",
                "--layers-to-transform | -1 | --layers-to-transform: expected layers 0 to 1, found [-1]",
                "--rank-pattern | q_prj=4 | --rank-pattern: expected modules that get an adapter, found q_prj, which fits none",
                "--rank-pattern | q_proj=0 | Cannot build adapters of rank 0 on modules q_proj: expected more than 0",
                "--rank-pattern | q_proj=4.5 | '4.5' is not an int",
                "--alpha-pattern | q_proj=-1 | Cannot build adapters of alpha -1.0 on modules q_proj: expected more than 0",
                "--alpha-pattern | (q_proj=4 | Cannot read alpha pattern '(q_proj'",
                "--alpha-pattern | layers\\.2\\..*=4 | --alpha-pattern: expected modules that get an adapter, found layers\\.2\\..*, which fits none",
            })
    void whatFitsNoModuleIsRefusedBeforeWorkBegins(String option, String value, String message) {
        CommandRun run = runs.train(output("none").toString(), "--max-steps", "1", option, value);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(message);
        assertThat(output("none")).doesNotExist();
    }

    @Test
    void layersBesideAnExpressionAreRefused() {
        CommandRun run = runs.train(
                output("none").toString(),
                "--target-modules",
                ".*q_proj",
                "--layers-to-transform",
                "1",
                "--rank-pattern",
                "x=0");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("a regular expression, which can name layers itself");
    }

    private void train(String name, String... options) {
        List<String> line = runs.command(output(name).toString(), options);
        line.addAll(List.of("--max-steps", "2"));
        CommandRun run = CommandRun.of(line.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }

    private Path output(String name) {
        return folder.resolve("output-" + name);
    }

    private Path weights(String name) {
        return output(name).resolve("adapter/adapter_model.safetensors");
    }

    private JsonNode config(String name) throws IOException {
        return new ObjectMapper()
                .readTree(output(name).resolve("adapter/adapter_config.json").toFile());
    }

    /** The rank of every module that has an adapter, by layer and name; A and B must be of one, and of the module's sizes. */
    private Map<String, Integer> ranks(String name) {
        SafetensorsFile file = SafetensorsFile.open(weights(name));
        Map<String, Integer> ranks = new TreeMap<>();
        for (String tensor : file.names()) {
            if (tensor.endsWith(".lora_A.weight")) {
                String path = tensor.substring("base_model.model.model.layers.".length(), tensor.indexOf(".lora_"));
                long[] down = file.tensor(tensor).shape();
                long[] up = file.tensor(tensor.replace("lora_A", "lora_B")).shape();
                assertThat(up[1]).as(path).isEqualTo(down[0]);
                assertThat(down[1]).as(path).isEqualTo(path.endsWith("down_proj") ? 256 : 128);
                ranks.put(path, (int) down[0]);
            }
        }

        return ranks;
    }

    private static Map<String, Integer> of(Predicate<String> adapted, ToIntFunction<String> rank) {
        return Stream.of(0, 1)
                .flatMap(layer -> LINEARS.stream().map(linear -> layer + "." + linear))
                .filter(adapted)
                .collect(Collectors.toMap(path -> path, rank::applyAsInt));
    }

    private static List<String> texts(JsonNode array) {
        return new ObjectMapper().convertValue(array, new TypeReference<List<String>>() {});
    }
}
