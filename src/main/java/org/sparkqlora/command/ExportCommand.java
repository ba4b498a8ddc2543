package org.sparkqlora.command;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.Server;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelOutput;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.QuantOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.export.AdapterExport;
import org.sparkqlora.run.export.ExportedFile;
import org.sparkqlora.run.export.GgufTarget;
import org.sparkqlora.run.export.Merge;
import org.sparkqlora.run.export.ModelExport;
import org.sparkqlora.run.export.ServerCheck;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.gguf.GgufOutType;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code export}: a model as servers other than transformers read it. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = {
            "Writes a model, alone or with an adapter folded in, as a GGUF file for llama.cpp and Ollama, weight by weight,"
                    + " with its tokenizer and chat template.",
            "",
            "f32, f16, bf16 and q8_0 are the bytes that llama.cpp's convert_hf_to_gguf.py writes, q4_0 and q4_k_m those of"
                    + " its llama-quantize. The sum of weight and adapter is rounded once, to the type of the file.",
            ""
        })
public final class ExportCommand implements Command {
    @OptionGroup.In(OptionGroup.MODEL)
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            required = true,
            paramLabel = "PATH",
            description = "Model folder, or base model of --adapter.")
    @Nullable
    Location model;

    @OptionGroup.In(OptionGroup.ADAPTER)
    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout to fold in.")
    @Nullable
    Location adapter;

    @Option(
            names = "--for",
            paramLabel = "SERVER",
            description =
                    "Say whether vllm, sglang, llama.cpp or ollama adds --adapter to its base at run time, why not, and how to"
                            + " serve it. With --output, write what it needs: the adapter as a GGUF LoRA, or a merged model folder or GGUF"
                            + " file. Nothing is written where the server reads the adapter as it is.")
    @Nullable
    Server server;

    @OptionGroup.In(OptionGroup.ADAPTER)
    @Option(
            names = "--adapter-only",
            description =
                    "Write the adapter alone, as a GGUF LoRA that llama.cpp loads beside the base (--lora). Types:"
                            + " f32, f16, bf16, q8_0; default: f32. DoRA and modules_to_save do not fit into such a file.")
    boolean adapterOnly;

    @Option(
            names = "--output",
            paramLabel = "PATH",
            description = "File to write, if it ends in .gguf, or folder for a file that is named by llama.cpp's rule"
                    + " (Base-Size-FineTune-v1.0-Encoding.gguf). The file appears only when it is whole.")
    @Nullable
    Location output;

    @Option(
            names = "--overwrite",
            description = "Replace the GGUF file that is there, or with --for the model that --output holds.")
    boolean overwrite;

    @Option(
            names = "--outtype",
            paramLabel = "TYPE",
            description = "Type of the matrices: f32, f16, bf16, q8_0, q4_0 or q4_k_m. Default: f16.")
    @Nullable
    GgufOutType type;

    @Option(
            names = "--base",
            paramLabel = "BASE",
            description =
                    "Weights that --adapter is folded into: original or quantized, as of merge. Default: original,"
                            + " if --model has it.")
    @Nullable
    MergeBase base;

    @Option(
            names = "--name",
            paramLabel = "TEXT",
            description = "Name of the model in the file. Default: from config.json or the folder's name.")
    @Nullable
    String name;

    @Option(
            names = "--pre-tokenizer",
            paramLabel = "NAME",
            description = "llama.cpp's name of the pre-tokenizer, such as llama-bpe. Default: found by its checksum.")
    @Nullable
    String preTokenizer;

    @Mixin
    QuantOptions quant = new QuantOptions();

    @Override
    public void check(Problems problems) {
        ModelPath.check(problems, "--model", model);
        problems.requireFolder("--adapter", adapter);
        if (output != null && GgufTarget.isFile(output)) {
            problems.requirePlaceForFile("--output", output);
        } else {
            problems.requirePlaceForFolder("--output", output);
        }

        problems.require(output != null || server != null, "--output: expected a file or folder, found none");
        problems.require(server == null || adapter != null, "--for: expected --adapter, which it checks, found none");
        problems.require(!adapterOnly || adapter != null, "--adapter-only: expected --adapter, found none");
        problems.require(
                adapter != null || base == null, "--base: expected --adapter, which is folded into it, found none");
    }

    @Override
    public String run(Console console) {
        if (server == null) {
            ExportedFile written = write(adapterOnly, Required.value("--output", output));
            tell(written, console);
            return SummaryJson.exported(written);
        }

        ServerCheck check = ServerCheck.of(server, Required.value("--adapter", adapter));
        check.objections()
                .forEach(
                        objection -> console.note("%s does not serve it as it is: %s", server.optionName(), objection));
        String written = serveable(check, console);
        String command = check.command(Required.value("--model", model).toString(), written);
        command.lines().forEach(line -> console.note("  %s", line));
        return SummaryJson.serveable(check, written, command);
    }

    /** What the server is given, written if that was asked for and is needed. */
    private String serveable(ServerCheck check, Console console) {
        if (check.fits() && !check.server().readsGguf()) {
            return Required.value("--adapter", adapter).toString();
        }

        if (output == null) {
            console.note(
                    "with --output PATH this command writes what %s is given",
                    check.server().optionName());
            return check.server().readsGguf() ? "./model.gguf" : "./merged";
        }

        if (check.server().readsGguf()) {
            ExportedFile written = write(check.fits(), output);
            tell(written, console);
            return written.file().toString();
        }

        ModelOutput.of(output, overwrite)
                .require(console, new Overlap.Input("--model", model), new Overlap.Input("--adapter", adapter));
        try (Merge merge = Merge.open(modelFolder(), Required.value("--adapter", adapter), quant.spec())) {
            return merge.write(base, output).folder().toString();
        }
    }

    private ExportedFile write(boolean factorsAlone, Location place) {
        GgufTarget target = new GgufTarget(
                place,
                overwrite ? GgufTarget.Existing.REPLACE : GgufTarget.Existing.REFUSE,
                new Overlap.Input("--model", model));
        return factorsAlone ? writeAdapter(target) : writeModel(target);
    }

    private static void tell(ExportedFile written, Console console) {
        written.notes().forEach(note -> console.note("note: %s", note));
        console.note("wrote %s", written.file());
    }

    private ExportedFile writeAdapter(GgufTarget target) {
        GgufOutType chosen = type == null ? GgufOutType.F32 : type;
        return new AdapterExport(modelFolder(), Required.value("--adapter", adapter), chosen, Optional.ofNullable(name))
                .write(target);
    }

    private ExportedFile writeModel(GgufTarget target) {
        return new ModelExport(
                        Required.value("--model", model),
                        adapter,
                        base,
                        quant.spec(),
                        type == null ? GgufOutType.F16 : type,
                        Optional.ofNullable(name),
                        Optional.ofNullable(preTokenizer))
                .write(target);
    }

    private Path modelFolder() {
        return ModelPath.folder(Required.value("--model", model), ModelCache.ofUser());
    }
}
