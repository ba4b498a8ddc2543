package org.sparkqlora.options;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;
import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.model.Recompute;

/** The values of {@code --recompute}. */
public enum RecomputeChoice implements OptionChoice {
    AUTO,
    OFFLOAD,
    ALL,
    ATTENTION,
    NONE;

    private static final List<Recompute> QUICKEST_FIRST =
            List.of(Recompute.NONE, Recompute.ATTENTION, Recompute.ALL, Recompute.OFFLOAD);

    public static RecomputeChoice parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported choice '%s': expected one of %s");
    }

    /**
     * The choice that was asked for. Auto is the quickest whose memory fits.
     *
     * @param room bytes that an executor may take; nothing where no one knows, which leaves room for the least alone
     * @param needed bytes that an executor takes with each
     */
    public Recompute within(OptionalLong room, ToLongFunction<Recompute> needed) {
        return this == AUTO
                ? QUICKEST_FIRST.stream()
                        .filter(choice -> room.isPresent() && needed.applyAsLong(choice) <= room.getAsLong())
                        .findFirst()
                        .orElse(Recompute.ALL)
                : Recompute.valueOf(name());
    }

    /** The choice of an estimate, which knows no cluster. */
    public Recompute planned() {
        return within(OptionalLong.empty(), choice -> 0);
    }

    public static String label(Recompute recompute) {
        return valueOf(recompute.name()).optionName();
    }
}
