package org.sparkqlora.tensor;

import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.OptionChoice;

/** On what a task is to compute. */
public enum DeviceChoice implements OptionChoice {
    /** On the GPU that Spark gave to the task; without one, on the processor. */
    AUTO,
    /** On the processor, whatever the task was given. */
    CPU,
    /** On the GPU that Spark gave to the task; where Spark gives none, on the machine's first. */
    CUDA;

    /** The choice called {@code name} in an option. */
    public static DeviceChoice parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot compute on '%s': expected auto, cpu or cuda");
    }

    /**
     * The GPU to compute on; none for the processor.
     *
     * @param addresses of the GPUs that Spark gave to the task
     */
    public OptionalInt gpu(List<String> addresses) {
        return switch (this) {
            case AUTO -> first(addresses);
            case CPU -> OptionalInt.empty();
            case CUDA -> OptionalInt.of(first(addresses).orElse(0));
        };
    }

    private static OptionalInt first(List<String> addresses) {
        if (addresses.isEmpty()) {
            return OptionalInt.empty();
        }

        String address = addresses.get(0);
        if (!address.matches("\\d{1,4}")) {
            throw new BadInputException(
                    "Cannot compute on GPU '%s', which Spark gave to the task: expected its number, from 0. See the discovery script in deploy/gpu"
                            .formatted(address));
        }

        return OptionalInt.of(Integer.parseInt(address));
    }
}
