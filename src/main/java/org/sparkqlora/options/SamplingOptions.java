package org.sparkqlora.options;

import java.util.Set;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import picocli.CommandLine.Option;

/** The sampling of an answer's tokens, and the largest number of them. */
@OptionGroup.In(OptionGroup.RUN)
public final class SamplingOptions {
    @OptionGroup.Common
    @Option(
            names = "--max-new-tokens",
            defaultValue = "128",
            paramLabel = "N",
            description = "Tokens of an answer at most. Default: ${DEFAULT-VALUE}.")
    int maxNewTokens = 128;

    @OptionGroup.Common
    @Option(
            names = "--temperature",
            defaultValue = "0",
            paramLabel = "X",
            description =
                    "0 takes the likeliest token each time. Above, logits are divided by it and a token is drawn. Default: ${DEFAULT-VALUE}.")
    double temperature;

    @Option(
            names = "--top-k",
            defaultValue = "50",
            paramLabel = "N",
            description = "Draw from the N likeliest tokens only; 0: from all. Default: ${DEFAULT-VALUE}.")
    int topK = 50;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            paramLabel = "P",
            description = "Then draw from the likeliest that together reach P only. Default: ${DEFAULT-VALUE}.")
    double topP = 1;

    @Option(
            names = "--seed",
            defaultValue = "42",
            paramLabel = "N",
            description = "Equal seeds draw equal tokens. Default: ${DEFAULT-VALUE}.")
    long seed = 42;

    public void check(Problems problems) {
        problems.requireAtLeast("--max-new-tokens", 1, maxNewTokens);
        problems.require(
                temperature >= 0 && Double.isFinite(temperature),
                "--temperature: expected at least 0, found %s",
                temperature);
        problems.requireAtLeast("--top-k", 0, topK);
        problems.require(topP > 0 && topP <= 1, "--top-p: expected more than 0 and at most 1, found %s", topP);
    }

    public GenerationSpec spec(Set<Integer> endIds) {
        return new GenerationSpec(maxNewTokens, endIds, new Sampling(temperature, topK, topP, seed));
    }
}
