package org.sparkqlora.cli.command;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelOutput;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.QuantOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.FourBitFolder;
import org.sparkqlora.weights.QuantizationReport;
import org.sparkqlora.weights.WeightFolder;
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
            "Prints as JSON the bytes before and after, the bits a quantised weight takes with its scales, and its mean"
                    + " absolute error."
        })
public final class QuantizeCommand implements Command {
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            required = true,
            paramLabel = "PATH",
            description = "Hugging Face model folder with weights in 16 or 32 bits, or .gguf file.")
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

    @Override
    public void check(Problems problems) {
        ModelPath.check(problems, "--model", model);
        output.check(problems);
        problems.collect("--block-size", this::spec);
    }

    @Override
    public void run(Console console) {
        output.require(console, new Overlap.Input("--model", model));
        try (WeightFolder source =
                        WeightFolder.open(ModelPath.folder(Required.value("--model", model), ModelCache.ofUser()));
                Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            QuantizationReport report =
                    output.write(folder -> FourBitFolder.writeAndCompare(source, spec(), workers, folder));
            console.result(SummaryJson.quantized(output.target(), report));
        }
    }

    private QuantSpec spec() {
        return quant.spec(blockSize);
    }
}
