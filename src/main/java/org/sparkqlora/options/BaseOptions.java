package org.sparkqlora.options;

import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.tensor.MappedPages;
import picocli.CommandLine.Option;

/** What of the frozen base is in memory. */
@OptionGroup.In(OptionGroup.MODEL)
public final class BaseOptions {
    @Option(
            names = "--base-memory",
            defaultValue = "auto",
            paramLabel = "BYTES",
            description =
                    "Bound on what of the frozen base is resident in a process: bytes such as 8G, all, or auto (all, unless train"
                            + " finds no room for it beside the rest). What does not fit is read from the local copy, one layer"
                            + " ahead, and given back after use. The result is the same, bit for bit. Default: ${DEFAULT-VALUE}.")
    BaseMemoryChoice choice = BaseMemoryChoice.AUTO;

    public BaseMemoryChoice choice() {
        return choice;
    }

    /** The choice where no one knows the room. */
    public BaseMemoryLimit known() {
        return choice.known();
    }

    void check(Problems problems, Method method) {
        boolean bounded = known().isBounded();
        problems.require(
                !bounded || method != Method.FULL,
                "--base-memory: expected --method qlora or lora with it, found full, whose base trains");
        problems.require(!bounded || MappedPages.areSupported(), "--base-memory: expected Linux, found another system");
    }
}
