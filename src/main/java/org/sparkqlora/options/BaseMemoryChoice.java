package org.sparkqlora.options;

import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.BaseMemoryLimit;

/**
 * The values of {@code --base-memory}.
 *
 * @param asked null for auto
 */
public record BaseMemoryChoice(@Nullable BaseMemoryLimit asked) {
    public static final BaseMemoryChoice AUTO = new BaseMemoryChoice(null);

    public static BaseMemoryChoice parse(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "auto" -> AUTO;
            case "all" -> new BaseMemoryChoice(BaseMemoryLimit.ALL);
            case "dequantized" -> new BaseMemoryChoice(BaseMemoryLimit.DEQUANTIZED);
            default -> new BaseMemoryChoice(new BaseMemoryLimit(bytes(text)));
        };
    }

    private static long bytes(String text) {
        try {
            return ByteCount.parse(text).value();
        } catch (BadInputException e) {
            throw new BadInputException(
                    "Cannot keep a base in '%s': expected all, dequantized, auto or a number of bytes such as 8G"
                            .formatted(text),
                    e);
        }
    }

    /** The choice where no one knows the room: auto keeps all. */
    public BaseMemoryLimit known() {
        return asked == null ? BaseMemoryLimit.ALL : asked;
    }

    /**
     * {@code chosen}, or, where that is auto's and of all, all dequantised.
     *
     * @param room bytes that an executor may take; nothing where no one knows
     * @param needed bytes that an executor takes with that
     */
    public BaseMemoryLimit dequantizedWithin(BaseMemoryLimit chosen, OptionalLong room, long needed) {
        boolean fits = room.isPresent() && needed <= room.getAsLong();
        return asked == null && !chosen.isBounded() && fits ? BaseMemoryLimit.DEQUANTIZED : chosen;
    }

    /**
     * The choice that was asked for. Auto keeps all where it fits, and else what there is room for beside the rest, or the least.
     *
     * @param room bytes that an executor may take; nothing where no one knows
     * @param needed bytes that an executor takes with all
     * @param base bytes of them that are the base's
     * @param smallest bytes that the base can be computed in
     */
    public BaseMemoryLimit within(OptionalLong room, long needed, long base, long smallest) {
        if (asked != null || room.isEmpty() || needed <= room.getAsLong()) {
            return known();
        }

        return new BaseMemoryLimit(Math.max(smallest, room.getAsLong() - (needed - base)));
    }
}
