package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NamedOptionsTest {
    @Test
    void valuesAreWrittenAsTheirOptionsTakeThem() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("model", "base");
        values.put("max_steps", 30);
        values.put("use_dora", true);
        values.put("use_rslora", false);
        values.put("eval_data", null);
        values.put("data", List.of("a", "b"));
        values.put("target_modules", List.of("q_proj", "v_proj"));
        values.put("rank_pattern", Map.of("q_proj", "4"));
        values.put("mlflow", true);

        NamedOptions options = options(values);

        assertThat(options.problems()).isEmpty();
        assertThat(options.arguments())
                .containsExactly(
                        "--data=a",
                        "--data=b",
                        "--max-steps=30",
                        "--mlflow",
                        "--model=base",
                        "--rank-pattern=q_proj=4",
                        "--target-modules=q_proj,v_proj",
                        "--use-dora");
    }

    @Test
    void aValueWithoutANameStandsByItself() {
        Map<String, String> adapters = new LinkedHashMap<>();
        adapters.put("tuned", "a");
        adapters.put("", "b");

        NamedOptions options = NamedOptions.of(
                Map.of("adapter", adapters),
                OptionParser.of(new GenerateOptions()).getCommandSpec());

        assertThat(options.arguments()).containsExactly("--adapter=tuned=a", "--adapter=b");
    }

    @Test
    void whatAnOptionCannotTakeIsAProblem() {
        NamedOptions options = options(Map.of(
                "rank",
                List.of(4, 8),
                "alpha",
                true,
                "use_dora",
                "yes",
                "eval_dta",
                "x",
                "max_steps",
                Arrays.asList(1)));

        assertThat(options.arguments()).isEmpty();
        assertThat(options.problems())
                .containsExactly(
                        "Cannot set alpha: expected a value for alpha, found true",
                        "Cannot set eval_dta: expected an option of <main class>, found no such. Did you mean eval_data?",
                        "Cannot set max_steps: expected one value for max-steps, found several",
                        "Cannot set rank: expected one value for rank, found several",
                        "Cannot set use_dora: expected true or false for use-dora, found yes");
    }

    private static NamedOptions options(Map<String, Object> values) {
        return NamedOptions.of(values, OptionParser.of(new TrainOptions()).getCommandSpec());
    }
}
