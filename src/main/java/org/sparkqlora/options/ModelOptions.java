package org.sparkqlora.options;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.model.PassOptions;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.spark.cluster.Gpus;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.TokenizerPlace;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.train.FolderModelSource;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The base model, its 4-bit format and its device. */
@OptionGroup.In(OptionGroup.MODEL)
public final class ModelOptions {
    @OptionGroup.Common
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            required = true,
            paramLabel = "PATH",
            description =
                    "Hugging Face model folder, .gguf file, or org/name on a hub. A folder (safetensors, as stored or in"
                            + " bitsandbytes' 4 bits) or file is at the same path on every executor, or on any Hadoop file system. From a"
                            + " hub (HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE) each host copies a model to --model-cache once. A .gguf file"
                            + " is converted there.")
    @Nullable
    public Location model;

    @OptionGroup.Common
    @Option(
            names = "--method",
            defaultValue = "qlora",
            paramLabel = "METHOD",
            description =
                    "qlora (base in 4 bits), lora (base as stored) or full. In full all weights train; only train takes it."
                            + " Default: ${DEFAULT-VALUE}.")
    public Method method = Method.QLORA;

    @Mixin
    public NumericsOptions numerics = new NumericsOptions();

    @Mixin
    public BaseOptions base = new BaseOptions();

    @Option(
            names = "--device",
            defaultValue = "auto",
            paramLabel = "CHOICE",
            description =
                    "What tasks compute on: auto (the GPU that Spark gave to a task; without one, the processor), cpu"
                            + " or cuda (as auto, and the first GPU where Spark gives none). A GPU that cannot be used is"
                            + " an error. Default: ${DEFAULT-VALUE}.")
    public DeviceChoice device = DeviceChoice.AUTO;

    @Option(
            names = "--model-cache",
            paramLabel = "DIR",
            description = "Local folder on each host for quantised and converted copies of models; all who may write"
                    + " there are trusted. Default: a folder of the user's own, below XDG_CACHE_HOME or ~/.cache, or"
                    + " in the local folder of a container.")
    ModelCache cache = ModelCache.ofUser();

    @Option(
            names = "--revision",
            paramLabel = "REVISION",
            description =
                    "Branch, tag or commit of a model on a hub; --model org/name@REVISION is the same. Default: main.")
    @Nullable
    String revision;

    private @Nullable ModelPlace place;

    public void check(Problems problems) {
        ModelPath.check(problems, "--model", model);
        base.check(problems, method, device);
        problems.require(
                revision == null
                        || model == null
                        || HubId.ofAddress(model.toString()).isPresent(),
                "--revision: expected a --model on a hub with it, found %s",
                model);
    }

    /** Asked of a hub once, so that all of a run has one commit. */
    private ModelPlace place() {
        ModelPlace known = place;
        if (known == null) {
            known = ModelPath.place(revised(Required.value("--model", model)), cache);
            place = known;
        }

        return known;
    }

    private Location revised(Location named) {
        String asked = revision;
        return asked == null
                ? named
                : HubId.ofAddress(named.toString())
                        .map(id -> new HubId(id.name(), asked).address())
                        .map(address -> new Location(new org.apache.hadoop.fs.Path(address)))
                        .orElse(named);
    }

    /** The address of the model in plans. */
    public String address() {
        return place().address();
    }

    /** The folder, once it passed the check. */
    public Path folder() {
        return place().folder(cache);
    }

    /** Where this process keeps what it made of models. */
    public Path cacheFolder() {
        return cache.folder();
    }

    /** Its tokenizer as executors open it. */
    public TokenizerPlace tokenizer() {
        return ModelPath.tokenizer(place(), cache);
    }

    /** The precision of tasks, as asked for or as their GPUs can; {@code note} is told of the latter. */
    public Precision precision(JavaSparkContext context, Consumer<String> note) {
        return numerics.precision.on(() -> Gpus.oldest(context, device), note);
    }

    /** The precision of this process. */
    public Precision precisionHere(Consumer<String> note) {
        return numerics.precision.on(
                () -> device.gpu(List.of()).stream()
                        .boxed()
                        .flatMap(number -> Gpu.capability(number).stream())
                        .findFirst(),
                note);
    }

    ModelSpec spec(@Nullable LoraSpec lora, Precision precision) {
        return numerics.spec(method, lora, precision);
    }

    /** The model as executors open it. */
    public FolderModelSource source(@Nullable LoraSpec lora, Precision precision) {
        return source(spec(lora, precision));
    }

    /** The model as executors open it, with {@code spec} instead of that of these options. */
    public FolderModelSource source(ModelSpec spec) {
        return new FolderModelSource(
                        place(), folder().toAbsolutePath().normalize().toString(), spec, cache)
                .on(device)
                .passing(PassOptions.recomputing(Recompute.ALL).keeping(base.known()));
    }
}
