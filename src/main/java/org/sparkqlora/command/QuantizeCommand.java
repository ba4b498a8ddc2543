package org.sparkqlora.command;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.QuantizedFolder;
import org.sparkqlora.options.ByteCount;
import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelOutput;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.QuantOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.run.export.Quantization;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.QuantizationReport;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quantize}: a model's folder in bitsandbytes' four bits. */
@CommandLine.Command(
        name = "quantize",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = {
            "Writes a model with its projections in 4 bits, in the layout of bitsandbytes: transformers loads the folder"
                    + " with from_pretrained, train and evaluate take it as --model. Embeddings, head, norms and biases"
                    + " stay as they are; tokenizer and template are copied.",
            "A Spark job: each task reads the weights of one file, quantises and writes it. The bytes do not depend on the"
                    + " cluster. --output is whole once published.json, with the SHA-256 of each file, is in it; the same"
                    + " command goes on with what was killed, and changes nothing of what is whole.",
            "Prints as JSON the bytes before and after, the bits a quantised weight takes with its scales, and its mean"
                    + " absolute error."
        })
public final class QuantizeCommand implements Command {
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            required = true,
            paramLabel = "PATH",
            description =
                    "Hugging Face model folder with weights in 16 or 32 bits, .gguf file, or org/name on a hub. Tasks"
                            + " read their weights from a Hadoop file system or a hub in ranges, with no copy of the model.")
    @Nullable
    Location model;

    @Mixin
    ModelOutput output = new ModelOutput();

    @Mixin
    QuantOptions quant = new QuantOptions();

    @Option(
            names = "--block-size",
            defaultValue = "64",
            paramLabel = "N",
            description = "Weights that share a scale, a power of two from 32 to 4096. Default: ${DEFAULT-VALUE}.")
    int blockSize = 64;

    @Option(
            names = "--max-shard-size",
            defaultValue = "512M",
            paramLabel = "SIZE",
            description =
                    "Most bytes of weights in a file; a weight that takes more has a file of its own. Each file is"
                            + " a task. Default: ${DEFAULT-VALUE}.")
    ByteCount shardSize = ByteCount.parse("512M");

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Override
    public void check(Problems problems) {
        ModelPath.check(problems, "--model", model);
        output.checkResumable(problems, QuantizedFolder::isOurs);
        cluster.check(problems);
        problems.collect("--block-size", this::spec);
        problems.requireAtLeast("--max-shard-size", 1, shardSize.value());
    }

    @Override
    public String run(Console console) {
        ModelCache cache = ModelCache.ofUser();
        Quantization quantization = new Quantization(
                ModelPath.place(Required.value("--model", model), cache), cache, spec(), shardSize.value());
        QuantizationReport report = quantization.write(
                output.target().files(),
                output.target().qualified(),
                () -> cluster.context("quantize", console),
                () -> output.require(console, new Overlap.Input("--model", model)),
                console);
        return SummaryJson.quantized(output.target(), report);
    }

    private QuantSpec spec() {
        return quant.spec(blockSize);
    }
}
