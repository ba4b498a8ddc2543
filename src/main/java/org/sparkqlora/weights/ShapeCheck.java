package org.sparkqlora.weights;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Compares the weights of a folder with its config. */
final class ShapeCheck {
    private static final int MOST_LISTED = 12;

    private ShapeCheck() {}

    static void check(WeightFolder folder) {
        List<String> problems = new ArrayList<>();
        DecoderTensors.of(folder.config()).shapes().forEach((name, expected) -> {
            if (!folder.has(name)) {
                problems.add("%s: expected shape %s, found nothing".formatted(name, Arrays.toString(expected)));
            } else if (!Arrays.equals(folder.shapeOf(name), expected)) {
                problems.add("%s: expected shape %s, found %s in %s"
                        .formatted(
                                name,
                                Arrays.toString(expected),
                                Arrays.toString(folder.shapeOf(name)),
                                folder.tensor(name).file().getFileName()));
            }
        });
        if (!problems.isEmpty()) {
            throw new InvalidWeightsException(
                    "Cannot use %s as a %s model: %d weights do not fit its config.json. Are both from the same model?\n  %s"
                            .formatted(folder.path(), folder.config().modelType(), problems.size(), listed(problems)));
        }
    }

    private static String listed(List<String> problems) {
        String shown = String.join("\n  ", problems.subList(0, Math.min(MOST_LISTED, problems.size())));
        return problems.size() <= MOST_LISTED
                ? shown
                : shown + String.format(Locale.ROOT, "\n  and %d more", problems.size() - MOST_LISTED);
    }
}
