package org.sparkqlora.options;

import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.MappedPages;
import picocli.CommandLine.Option;

/** What of the frozen base is in memory. */
@OptionGroup.In(OptionGroup.MODEL)
public final class BaseOptions {
    public static final String DEQUANTIZED_ON_GPU =
            "--base-memory dequantized: expected tasks on the processor, found them on a GPU. Take --device cpu or --base-memory all";

    @Option(
            names = "--base-memory",
            defaultValue = "auto",
            paramLabel = "BYTES",
            description =
                    "What of the frozen base is resident in a process: bytes such as 8G (what does not fit is read from the"
                            + " local copy, one layer ahead, and given back after use), all, dequantized (all, and its layers in full"
                            + " width too instead of dequantised for each use: least time), or auto (all; train takes fewer"
                            + " bytes where there is no room, and dequantized where there is room for it and nothing is recomputed)."
                            + " The result is the same, bit for bit. Default: ${DEFAULT-VALUE}.")
    BaseMemoryChoice choice = BaseMemoryChoice.AUTO;

    public BaseMemoryChoice choice() {
        return choice;
    }

    /** The choice where no one knows the room. */
    public BaseMemoryLimit known() {
        return choice.known();
    }

    void check(Problems problems, Method method, DeviceChoice device) {
        boolean bounded = known().isBounded();
        problems.require(
                !bounded || method != Method.FULL,
                "--base-memory: expected --method qlora or lora with it, found full, whose base trains");
        boolean dequantized = known().dequantized();
        problems.require(
                !dequantized || method == Method.QLORA,
                "--base-memory dequantized: expected --method qlora with it, found %s",
                method.optionName());
        problems.require(!dequantized || device != DeviceChoice.CUDA, DEQUANTIZED_ON_GPU);
        problems.require(!bounded || MappedPages.areSupported(), "--base-memory: expected Linux, found another system");
    }
}
